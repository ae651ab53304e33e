#pragma once
#include "diffpair/Executor.h"
#include <algorithm>
#include <vector>

namespace diffpair {

/** Blocks of fixed size, not of fixed number: sums over them have the same bits for every number of threads. */
constexpr int atomsPerBlock = 2048;

inline int numAtomBlocks(int numAtoms) {
    return (numAtoms + atomsPerBlock - 1) / atomsPerBlock;
}

/** Call body(block, first, last) for every block of atoms, in parallel if there are several. */
template <class Body> void overAtomBlocks(int numAtoms, Executor& executor, const Body& body) {
    const auto task = [&body, numAtoms](int block) {
        body(block, block * atomsPerBlock, std::min((block + 1) * atomsPerBlock, numAtoms));
    };
    if (numAtomBlocks(numAtoms) == 1)
        task(0);
    else
        executor.run(numAtomBlocks(numAtoms), task);
}

/** Call body(i) for every atom. */
template <class Body> void overAtoms(int numAtoms, Executor& executor, const Body& body) {
    overAtomBlocks(numAtoms, executor, [&body](int, int first, int last) {
        for (int i = first; i < last; i++)
            body(i);
    });
}

/**
 * Sum over atoms in double precision.
 *
 * @param partial  scratch, at least numAtomBlocks(numAtoms)
 */
template <class Term> double sumOverAtoms(int numAtoms, Executor& executor, std::vector<double>& partial, const Term& term) {
    overAtomBlocks(numAtoms, executor, [&](int block, int first, int last) {
        double sum = 0;
        for (int i = first; i < last; i++)
            sum += term(i);
        partial[block] = sum;
    });
    double total = 0;
    for (int block = 0; block < numAtomBlocks(numAtoms); block++)
        total += partial[block];
    return total;
}

} // namespace diffpair
