#include "diffpair/PairLoops.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>

namespace diffpair {

template <class Real> void PairTablePieces<Real>::set(const TableGrid& newGrid, int newNumTypes, const double* coefficients) {
    grid = newGrid; // not validated here: the padding of a grid of RDF bins may reach below r = 0
    numTypes = newNumTypes;
    pieces.resize(static_cast<size_t>(numTypePairs(numTypes)) * grid.numPieces() * 4);
    for (int pair = 0; pair < numTypePairs(numTypes); pair++)
        coefficientsToPieces(grid, coefficients + static_cast<size_t>(pair) * grid.numCoefficients(),
                             pieces.data() + static_cast<size_t>(pair) * grid.numPieces() * 4);
}

/** Runs `kernel(block, rows)` over static blocks of rows with about the same number of entries each. */
template <class Real>
template <class Kernel>
void PairLoops<Real>::overBlocks(const TableGrid& grid, const Real* pieces, const NeighborList<Real>& list, Executor& executor,
                                 const Kernel& kernel) {
    const int numBlocks = executor.numThreads(), numSlots = list.numSlots();
    const PairTopology& topology = list.getTopology();
    const int numTypes = topology.numTypes;
    firstPiece.resize(numTypes * numTypes);
    for (int a = 0; a < numTypes; a++)
        for (int b = 0; b < numTypes; b++)
            firstPiece[a * numTypes + b] = typePairIndex(a, b, numTypes) * grid.numPieces();
    if (numTypes > 1) {
        types.resize(3 * static_cast<size_t>(numSlots));
        for (int slot = 0; slot < numSlots; slot++)
            types[offsetOfSlot(slot)] = list.atomOfSlot()[slot] < 0 ? 0 : topology.types[list.atomOfSlot()[slot]];
    }
    int longest = 0;
    for (int slot = 0; slot < numSlots; slot++)
        longest = std::max(longest, list.start()[slot + 1] - list.start()[slot]);
    const int capacity = (longest + 31) / 16 * 16; // whole cache lines: no two threads share one
    rowScratch.resize(static_cast<size_t>(numBlocks) * scratchVectors * capacity);
    rowIndexScratch.resize(static_cast<size_t>(numBlocks) * indexVectors * capacity);
    executor.run(numBlocks, [&](int block) {
        const PairRows<Real> rows = {list.positions(),
                                     types.data(),
                                     list.start(),
                                     list.neighbors(),
                                     balancedBlockStart(list.start(), numSlots, numBlocks, block),
                                     balancedBlockStart(list.start(), numSlots, numBlocks, block + 1),
                                     firstPiece.data(),
                                     numTypes,
                                     pieces,
                                     grid.numPieces(),
                                     Real(grid.rMin),
                                     Real(1 / grid.spacing()),
                                     Real(grid.cutoff * grid.cutoff),
                                     LoopBox<Real>(list.currentBox()),
                                     rowScratch.data() + static_cast<size_t>(block) * scratchVectors * capacity,
                                     rowIndexScratch.data() + static_cast<size_t>(block) * indexVectors * capacity,
                                     capacity};
        kernel(block, rows);
    });
}

template <class Real> Real* PairLoops<Real>::vectorsOfBlock(int block, const NeighborList<Real>& list) {
    return vectors.data() + static_cast<size_t>(block) * 3 * list.numSlots();
}

template <class Real> void PairLoops<Real>::clearBlock(int block, const NeighborList<Real>& list) {
    std::fill(vectorsOfBlock(block, list), vectorsOfBlock(block + 1, list), Real(0));
}

/** Sums the blocks' vectors in block order and adds them, atom by atom, to the target. */
template <class Real>
template <class Target>
void PairLoops<Real>::addToAtoms(Target* target, const NeighborList<Real>& list, Executor& executor) {
    const int numBlocks = executor.numThreads(), numSlots = list.numSlots();
    executor.run(numBlocks, [&](int part) {
        for (int slot = evenBlockStart(numSlots, numBlocks, part); slot < evenBlockStart(numSlots, numBlocks, part + 1); slot++) {
            const int atom = list.atomOfSlot()[slot], from = offsetOfSlot(slot);
            for (int d = 0; atom >= 0 && d < 3; d++) {
                Real sum = vectors[from + d * clusterSize];
                for (int block = 1; block < numBlocks; block++)
                    sum += vectorsOfBlock(block, list)[from + d * clusterSize];
                target[3 * static_cast<size_t>(atom) + d] += sum;
            }
        }
    });
}

template <class Real> void PairLoops<Real>::addMoments(double* target, size_t size, int numBlocks) {
    for (int block = 0; block < numBlocks; block++)
        for (size_t k = 0; k < size; k++)
            target[k] += momentScratch[block * size + k];
}

template <class Real>
template <class Target>
void PairLoops<Real>::forces(const PairTablePieces<Real>& table, const NeighborList<Real>& list, Target* f, PairSums* sums,
                             Executor& executor) {
    const int numBlocks = executor.numThreads();
    std::vector<KernelSums> blockSums(numBlocks, KernelSums{0, 0, 0});
    if (f)
        vectors.resize(static_cast<size_t>(numBlocks) * 3 * list.numSlots());
    overBlocks(table.getGrid(), table.data(), list, executor, [&](int block, const PairRows<Real>& rows) {
        if (f)
            clearBlock(block, list);
        pairKernels<Real>().forces(rows, f ? vectorsOfBlock(block, list) : nullptr, sums ? &blockSums[block] : nullptr);
    });
    if (f)
        addToAtoms(f, list, executor);
    if (sums) {
        *sums = PairSums();
        for (const KernelSums& block : blockSums) {
            sums->energy += block.energy;
            sums->virial += block.virial;
            sums->belowRMin += block.belowRMin;
        }
    }
}

template <class Real>
void PairLoops<Real>::forceAdjoint(const PairTablePieces<Real>& table, const NeighborList<Real>& list, const Real* w, Real* jw,
                                   double* moments, Executor& executor) {
    const int numBlocks = executor.numThreads();
    const size_t numMoments = static_cast<size_t>(numTypePairs(table.getNumTypes())) * table.getGrid().numPieces() * 4;
    vectors.resize(static_cast<size_t>(numBlocks) * 3 * list.numSlots());
    direction.resize(3 * static_cast<size_t>(list.numSlots()));
    for (int slot = 0; slot < list.numSlots(); slot++) {
        const int atom = list.atomOfSlot()[slot];
        for (int d = 0; d < 3; d++)
            direction[offsetOfSlot(slot) + d * clusterSize] = atom < 0 ? Real(0) : w[3 * static_cast<size_t>(atom) + d];
    }
    momentScratch.assign(numBlocks * numMoments, 0.0);
    overBlocks(table.getGrid(), table.data(), list, executor, [&](int block, const PairRows<Real>& rows) {
        clearBlock(block, list);
        pairKernels<Real>().forceAdjoint(rows, direction.data(), vectorsOfBlock(block, list),
                                         momentScratch.data() + block * numMoments);
    });
    addToAtoms(jw, list, executor);
    addMoments(moments, numMoments, numBlocks);
}

template <class Real>
void PairLoops<Real>::moments(const TableGrid& grid, const NeighborList<Real>& list, double* moments, Executor& executor) {
    const int numBlocks = executor.numThreads();
    const size_t numMoments = static_cast<size_t>(numTypePairs(list.getTopology().numTypes)) * grid.numPieces() * 4;
    momentScratch.assign(numBlocks * numMoments, 0.0);
    overBlocks(grid, nullptr, list, executor, [&](int block, const PairRows<Real>& rows) {
        pairKernels<Real>().moments(rows, momentScratch.data() + block * numMoments);
    });
    addMoments(moments, numMoments, numBlocks);
}

template class PairTablePieces<float>;
template class PairTablePieces<double>;
template class PairLoops<float>;
template class PairLoops<double>;
template void PairLoops<float>::forces<float>(const PairTablePieces<float>&, const NeighborList<float>&, float*, PairSums*,
                                              Executor&);
template void PairLoops<float>::forces<double>(const PairTablePieces<float>&, const NeighborList<float>&, double*, PairSums*,
                                               Executor&);
template void PairLoops<double>::forces<double>(const PairTablePieces<double>&, const NeighborList<double>&, double*, PairSums*,
                                                Executor&);

} // namespace diffpair
