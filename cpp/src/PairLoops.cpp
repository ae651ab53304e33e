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

namespace {

/** Everything of PairRows that does not depend on the block. */
template <class Real>
PairRows<Real> describeRows(const TableGrid& grid, const Real* pieces, const NeighborList<Real>& list, const Real* x,
                            const int* pairOf) {
    const PairTopology& topology = list.getTopology();
    return {x,
            topology.types.data(),
            list.start(),
            list.neighbors(),
            0,
            0,
            pairOf,
            topology.numTypes,
            pieces,
            grid.numPieces(),
            Real(grid.rMin),
            Real(1 / grid.spacing()),
            Real(grid.cutoff * grid.cutoff),
            LoopBox<Real>(list.currentBox()),
            nullptr,
            nullptr,
            0};
}

std::vector<int> pairTable(int numTypes) {
    std::vector<int> pairOf(numTypes * numTypes);
    for (int a = 0; a < numTypes; a++)
        for (int b = 0; b < numTypes; b++)
            pairOf[a * numTypes + b] = typePairIndex(a, b, numTypes);
    return pairOf;
}

int longestRow(const int* start, int numRows) {
    int longest = 0;
    for (int i = 0; i < numRows; i++)
        longest = std::max(longest, start[i + 1] - start[i]);
    return longest;
}

} // namespace

template <class Real>
template <class Kernel>
void PairLoops<Real>::overBlocks(const TableGrid& grid, const Real* pieces, const NeighborList<Real>& list, const Real* x,
                                 Executor& executor, const Kernel& kernel) {
    const int numBlocks = executor.numThreads(), numAtoms = list.numAtoms();
    const std::vector<int> pairOf = pairTable(list.getTopology().numTypes);
    // Rows are padded to whole cache lines, so that no two threads share one.
    const int capacity = (longestRow(list.start(), numAtoms) + 31) / 16 * 16;
    rowScratch.resize(static_cast<size_t>(numBlocks) * scratchVectors * capacity);
    rowIndexScratch.resize(static_cast<size_t>(numBlocks) * indexVectors * capacity);
    executor.run(numBlocks, [&](int block) {
        PairRows<Real> rows = describeRows(grid, pieces, list, x, pairOf.data());
        rows.rowBegin = balancedBlockStart(list.start(), numAtoms, numBlocks, block);
        rows.rowEnd = balancedBlockStart(list.start(), numAtoms, numBlocks, block + 1);
        rows.longestRow = capacity;
        rows.scratch = rowScratch.data() + static_cast<size_t>(block) * scratchVectors * capacity;
        rows.indexScratch = rowIndexScratch.data() + static_cast<size_t>(block) * indexVectors * capacity;
        kernel(block, rows);
    });
}

template <class Real> Real* PairLoops<Real>::vectorOfBlock(int block, Real* target, int numAtoms) {
    return block == 0 ? target : vectorScratch.data() + static_cast<size_t>(block - 1) * 3 * numAtoms;
}

template <class Real> void PairLoops<Real>::clearVectors(int numBlocks, int numAtoms) {
    vectorScratch.assign(static_cast<size_t>(numBlocks - 1) * 3 * numAtoms, Real(0));
}

template <class Real> void PairLoops<Real>::addVectors(Real* target, int numAtoms, Executor& executor) {
    const int numBlocks = executor.numThreads();
    if (numBlocks == 1)
        return;
    executor.run(numBlocks, [&](int part) {
        const int begin = 3 * evenBlockStart(numAtoms, numBlocks, part), end = 3 * evenBlockStart(numAtoms, numBlocks, part + 1);
        for (int block = 1; block < numBlocks; block++) {
            const Real* from = vectorOfBlock(block, target, numAtoms);
            for (int k = begin; k < end; k++)
                target[k] += from[k];
        }
    });
}

template <class Real> void PairLoops<Real>::addMoments(double* target, size_t size, int numBlocks) {
    for (int block = 0; block < numBlocks; block++)
        for (size_t k = 0; k < size; k++)
            target[k] += momentScratch[block * size + k];
}

template <class Real>
void PairLoops<Real>::forces(const PairTablePieces<Real>& table, const NeighborList<Real>& list, const Real* x, Real* f,
                             PairSums* sums, Executor& executor) {
    const int numBlocks = executor.numThreads();
    std::vector<KernelSums> blockSums(numBlocks, KernelSums{0, 0, 0});
    if (f)
        clearVectors(numBlocks, list.numAtoms());
    overBlocks(table.getGrid(), table.data(), list, x, executor, [&](int block, const PairRows<Real>& rows) {
        pairKernels<Real>().forces(rows, f ? vectorOfBlock(block, f, list.numAtoms()) : nullptr,
                                   sums ? &blockSums[block] : nullptr);
    });
    if (f)
        addVectors(f, list.numAtoms(), executor);
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
void PairLoops<Real>::forceAdjoint(const PairTablePieces<Real>& table, const NeighborList<Real>& list, const Real* x,
                                   const Real* w, Real* jw, double* moments, Executor& executor) {
    const int numBlocks = executor.numThreads();
    const size_t numMoments = static_cast<size_t>(numTypePairs(table.getNumTypes())) * table.getGrid().numPieces() * 4;
    clearVectors(numBlocks, list.numAtoms());
    momentScratch.assign(numBlocks * numMoments, 0.0);
    overBlocks(table.getGrid(), table.data(), list, x, executor, [&](int block, const PairRows<Real>& rows) {
        pairKernels<Real>().forceAdjoint(rows, w, vectorOfBlock(block, jw, list.numAtoms()),
                                         momentScratch.data() + block * numMoments);
    });
    addVectors(jw, list.numAtoms(), executor);
    addMoments(moments, numMoments, numBlocks);
}

template <class Real>
void PairLoops<Real>::moments(const TableGrid& grid, const NeighborList<Real>& list, const Real* x, double* moments,
                              Executor& executor) {
    const int numBlocks = executor.numThreads();
    const size_t numMoments = static_cast<size_t>(numTypePairs(list.getTopology().numTypes)) * grid.numPieces() * 4;
    momentScratch.assign(numBlocks * numMoments, 0.0);
    overBlocks(grid, nullptr, list, x, executor, [&](int block, const PairRows<Real>& rows) {
        pairKernels<Real>().moments(rows, momentScratch.data() + block * numMoments);
    });
    addMoments(moments, numMoments, numBlocks);
}

template class PairTablePieces<float>;
template class PairTablePieces<double>;
template class PairLoops<float>;
template class PairLoops<double>;

} // namespace diffpair
