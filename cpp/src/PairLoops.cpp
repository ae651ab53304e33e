#include "diffpair/PairLoops.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>

namespace diffpair {

template <class Real> void PairTablePieces<Real>::set(const TableGrid& newGrid, int newNumTypes, const double* coefficients) {
    newGrid.validateSize(); // no more: the padding of a grid of RDF bins may reach below r = 0
    newGrid.validateTables(newNumTypes);
    pieces.resize(static_cast<size_t>(numTypePairs(newNumTypes)) * newGrid.numPieces() * 4);
    grid = newGrid; // from here on nothing can fail
    numTypes = newNumTypes;
    for (int pair = 0; pair < numTypePairs(numTypes); pair++)
        coefficientsToPieces(grid, coefficients + static_cast<size_t>(pair) * grid.numCoefficients(),
                             pieces.data() + static_cast<size_t>(pair) * grid.numPieces() * 4);
}

namespace {

template <class Real> int rowStart(const PairList<Real>& list, int numBlocks, int block) {
    return balancedBlockStart(list.start, list.numRows, numBlocks, block) / clusterSize * clusterSize;
}

/** The first slot that a block may write to. */
template <class Real> int firstWritten(const PairList<Real>& list, int numBlocks, int block) {
    return block == numBlocks ? list.numSlots : list.ascending ? rowStart(list, numBlocks, block) : 0;
}

} // namespace

/** Runs `kernel(block, rows)` over static blocks of rows with about the same number of entries each. */
template <class Real>
template <class Kernel>
void PairLoops<Real>::overBlocks(const TableGrid& grid, const Real* pieces, const PairList<Real>& list, Executor& executor,
                                 const Kernel& kernel) {
    const int numBlocks = executor.numThreads(), numSlots = list.numSlots;
    const int numTypes = list.numTypes;
    firstPiece.resize(numTypes * numTypes + widestPack);
    for (int a = 0; a < numTypes; a++)
        for (int b = 0; b < numTypes; b++)
            firstPiece[a * numTypes + b] = 4 * typePairIndex(a, b, numTypes) * grid.numPieces();
    // A whole pack behind the last pair, and whole cache lines: no two threads share one.
    const int capacity = (list.longestCluster + 3 * widestPack) / widestPack * widestPack;
    rowScratch.resize(static_cast<size_t>(numBlocks) * scratchVectors * capacity);
    rowIndexScratch.resize(static_cast<size_t>(numBlocks) * indexVectors * capacity);
    int idle[widestPack];
    for (int k = 0; k < widestPack; k++)
        idle[k] = offsetOfSlot(numSlots + k);
    executor.run(numBlocks, [&](int block) {
        const PairRows<Real> rows = {list.positions,
                                     list.start,
                                     list.neighbors,
                                     list.needsImages,
                                     rowStart(list, numBlocks, block) / clusterSize,
                                     rowStart(list, numBlocks, block + 1) / clusterSize,
                                     firstPiece.data(),
                                     numTypes,
                                     pieces,
                                     grid.numPieces(),
                                     Real(grid.rMin),
                                     Real(1 / grid.spacing()),
                                     Real(grid.cutoff * grid.cutoff),
                                     LoopBox<Real>(list.imageBox),
                                     idle,
                                     rowScratch.data() + static_cast<size_t>(block) * scratchVectors * capacity,
                                     rowIndexScratch.data() + static_cast<size_t>(block) * indexVectors * capacity,
                                     capacity};
        kernel(block, rows);
    });
}

template <class Real> Real* PairLoops<Real>::vectorsOfBlock(int block, const PairList<Real>& list) {
    return vectors.data() + static_cast<size_t>(block) * 4 * (list.numSlots + widestPack);
}

template <class Real> void PairLoops<Real>::clearBlock(int block, int numBlocks, const PairList<Real>& list) {
    std::fill(vectorsOfBlock(block, list) + offsetOfSlot(firstWritten(list, numBlocks, block)), vectorsOfBlock(block + 1, list),
              Real(0));
}

/** Sums the blocks' vectors in block order and adds them, atom by atom, to the target. */
template <class Real>
template <class Target>
void PairLoops<Real>::addToAtoms(Target* target, const PairList<Real>& list, Executor& executor) {
    const int numBlocks = executor.numThreads(), numSlots = list.numSlots;
    const size_t stride = vectorsOfBlock(1, list) - vectors.data();
    executor.run(numBlocks, [&](int part) {
        int slot = evenBlockStart(numSlots, numBlocks, part);
        const int last = evenBlockStart(numSlots, numBlocks, part + 1);
        for (int writers = 1; writers <= numBlocks; writers++) // blocks 0 .. writers - 1 have written to these slots
            for (const int end = std::min(last, firstWritten(list, numBlocks, writers)); slot < end; slot++) {
                const int atom = list.atomOfSlot[slot];
                if (atom < 0)
                    continue;
                const Real* from = vectors.data() + offsetOfSlot(slot);
                Real sum[3] = {from[0], from[1], from[2]};
                for (int block = 1; block < writers; block++)
                    for (int d = 0; d < 3; d++)
                        sum[d] += from[block * stride + d];
                for (int d = 0; d < 3; d++)
                    target[3 * static_cast<size_t>(atom) + d] += sum[d];
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
void PairLoops<Real>::forces(const PairTablePieces<Real>& table, const PairList<Real>& list, Target* f, PairSums* sums,
                             Executor& executor, VirialTensor* tensor) {
    const int numBlocks = executor.numThreads();
    blockSums.assign(numBlocks, PairSums());
    blockTensors.assign(numBlocks, VirialTensor());
    if (f)
        vectors.resize(static_cast<size_t>(numBlocks) * 4 * (list.numSlots + widestPack));
    overBlocks(table.getGrid(), table.data(), list, executor, [&](int block, const PairRows<Real>& rows) {
        if (f)
            clearBlock(block, numBlocks, list);
        pairKernels<Real>().forces(rows, f ? vectorsOfBlock(block, list) : nullptr, sums ? &blockSums[block] : nullptr,
                                   sums && tensor ? &blockTensors[block] : nullptr);
    });
    if (f)
        addToAtoms(f, list, executor);
    if (sums) {
        *sums = PairSums();
        for (const PairSums& block : blockSums) {
            sums->energy += block.energy;
            sums->virial += block.virial;
            sums->belowRMin += block.belowRMin;
        }
    }
    if (sums && tensor) {
        *tensor = VirialTensor();
        for (const VirialTensor& block : blockTensors)
            for (int k = 0; k < 6; k++)
                tensor->components[k] += block.components[k];
    }
}

template <class Real>
void PairLoops<Real>::forceAdjoint(const PairTablePieces<Real>& table, const PairList<Real>& list, const Real* w, Real* jw,
                                   double* moments, Executor& executor) {
    const int numBlocks = executor.numThreads();
    const size_t numMoments = static_cast<size_t>(numTypePairs(table.getNumTypes())) * table.getGrid().numPieces() * 4;
    vectors.resize(static_cast<size_t>(numBlocks) * 4 * (list.numSlots + widestPack));
    direction.resize(4 * (static_cast<size_t>(list.numSlots) + widestPack)); // idle slots may hold any number
    for (int slot = 0; slot < list.numSlots; slot++) {
        const int atom = list.atomOfSlot[slot];
        for (int d = 0; d < 3; d++)
            direction[offsetOfSlot(slot) + d] = atom < 0 ? Real(0) : w[3 * static_cast<size_t>(atom) + d];
    }
    momentScratch.assign(numBlocks * numMoments, 0.0);
    overBlocks(table.getGrid(), table.data(), list, executor, [&](int block, const PairRows<Real>& rows) {
        clearBlock(block, numBlocks, list);
        pairKernels<Real>().forceAdjoint(rows, direction.data(), vectorsOfBlock(block, list),
                                         momentScratch.data() + block * numMoments);
    });
    addToAtoms(jw, list, executor);
    addMoments(moments, numMoments, numBlocks);
}

template <class Real>
void PairLoops<Real>::moments(const TableGrid& grid, const PairList<Real>& list, double* moments, Executor& executor) {
    const int numBlocks = executor.numThreads();
    grid.validateTables(list.numTypes);
    const size_t numMoments = static_cast<size_t>(numTypePairs(list.numTypes)) * grid.numPieces() * 4;
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
template void PairLoops<float>::forces<float>(const PairTablePieces<float>&, const PairList<float>&, float*, PairSums*, Executor&,
                                              VirialTensor*);
template void PairLoops<float>::forces<double>(const PairTablePieces<float>&, const PairList<float>&, double*, PairSums*,
                                               Executor&, VirialTensor*);
template void PairLoops<double>::forces<double>(const PairTablePieces<double>&, const PairList<double>&, double*, PairSums*,
                                                Executor&, VirialTensor*);

} // namespace diffpair
