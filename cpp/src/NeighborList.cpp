#include "diffpair/NeighborList.h"
#include "MinimumImage.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace diffpair {

namespace {

/** Cells at least `reach` wide, so that a pair within reach lies in the same or in adjacent cells. */
struct CellGrid {
    int count[3];
    std::vector<int> cellOf, start, members; // members sorted by cell, then by atom

    template <class Real> CellGrid(const Real* x, int numAtoms, const Box& box, double reach) {
        double low[3] = {0, 0, 0}, matrix[9];
        std::copy(box.vectors, box.vectors + 9, matrix);
        if (!box.periodic) {
            for (int d = 0; d < 3; d++) {
                double high = low[d] = numAtoms > 0 ? x[d] : 0;
                for (int i = 0; i < numAtoms; i++) {
                    low[d] = std::min(low[d], double(x[3 * i + d]));
                    high = std::max(high, double(x[3 * i + d]));
                }
                for (int e = 0; e < 3; e++)
                    matrix[3 * d + e] = d == e ? std::max((high - low[d]) * (1 + 1e-6), 1e-6) : 0;
            }
        }
        const double ax = matrix[0], bx = matrix[3], by = matrix[4], cx = matrix[6], cy = matrix[7], cz = matrix[8];
        // Perpendicular widths of a reduced box: volume over the area of the face spanned by the other two vectors.
        const double volume = ax * by * cz;
        const double crossX = bx * cy - by * cx;
        const double width[3] = {volume / std::sqrt(by * by * cz * cz + bx * bx * cz * cz + crossX * crossX),
                                 volume / (ax * std::sqrt(cy * cy + cz * cz)), cz};
        // More cells than atoms only cost memory.
        const int most = std::max(1, static_cast<int>(std::cbrt(double(numAtoms)) + 1));
        for (int d = 0; d < 3; d++)
            count[d] = static_cast<int>(std::clamp(std::floor(width[d] / reach), 1.0, double(most)));

        cellOf.resize(numAtoms);
        start.assign(count[0] * count[1] * count[2] + 1, 0);
        for (int i = 0; i < numAtoms; i++) {
            double s[3];
            s[2] = (x[3 * i + 2] - low[2]) / cz;
            s[1] = (x[3 * i + 1] - low[1] - s[2] * cy) / by;
            s[0] = (x[3 * i] - low[0] - s[1] * bx - s[2] * cx) / ax;
            int cell = 0;
            for (int d = 0; d < 3; d++) {
                if (box.periodic)
                    s[d] -= std::floor(s[d]);
                cell = cell * count[d] + std::clamp(static_cast<int>(s[d] * count[d]), 0, count[d] - 1);
            }
            cellOf[i] = cell;
            start[cell + 1]++;
        }
        for (size_t c = 1; c < start.size(); c++)
            start[c] += start[c - 1];
        members.resize(numAtoms);
        std::vector<int> next(start.begin(), start.end() - 1);
        for (int i = 0; i < numAtoms; i++)
            members[next[cellOf[i]]++] = i;
    }

    /** Distinct cells around `cell`, itself included; at most 27. */
    int adjacent(int cell, bool periodic, int* out) const {
        const int at[3] = {cell / (count[1] * count[2]), cell / count[2] % count[1], cell % count[2]};
        int options[3][3], numOptions[3];
        for (int d = 0; d < 3; d++) {
            numOptions[d] = 0;
            for (int shift = -1; shift <= 1; shift++) {
                int c = at[d] + shift;
                if (periodic)
                    c = (c + count[d]) % count[d];
                else if (c < 0 || c >= count[d])
                    continue;
                if (std::find(options[d], options[d] + numOptions[d], c) == options[d] + numOptions[d])
                    options[d][numOptions[d]++] = c;
            }
        }
        int n = 0;
        for (int i = 0; i < numOptions[0]; i++)
            for (int j = 0; j < numOptions[1]; j++)
                for (int k = 0; k < numOptions[2]; k++)
                    out[n++] = (options[0][i] * count[1] + options[1][j]) * count[2] + options[2][k];
        return n;
    }
};

} // namespace

template <class Real>
NeighborList<Real>::NeighborList(const PairTopology& topology, double cutoff, double skin)
    : topology(&topology), cutoff(cutoff), skin(skin) {
}

template <class Real> bool NeighborList<Real>::update(const Real* x, const Box& newBox, Executor& executor) {
    if (!needsRebuild(x, newBox))
        return false;
    rebuild(x, newBox, executor);
    return true;
}

template <class Real> bool NeighborList<Real>::needsRebuild(const Real* x, const Box& newBox) const {
    const int numAtoms = topology->numAtoms;
    if (starts.empty() || newBox.periodic != box.periodic || std::memcmp(newBox.vectors, box.vectors, sizeof(box.vectors)) != 0)
        return true;
    if (std::isinf(cutoff))
        return false;
    // A little less than half the skin, so that rounding of the distances cannot hide a pair.
    const Real limit = Real(0.4999 * skin);
    const LoopBox<Real> loopBox(box);
    for (int i = 0; i < numAtoms; i++) {
        // Minimum image: a caller may wrap its positions into the box between two calls.
        if (!(loopBox.distanceSquared(x + 3 * i, builtAt.data() + 3 * i) < limit * limit))
            return true;
    }
    return false;
}

template <class Real> void NeighborList<Real>::rebuild(const Real* x, const Box& newBox, Executor& executor) {
    box = newBox;
    builtAt.assign(x, x + 3 * topology->numAtoms);
    const double reach = cutoff + skin;
    // In a triclinic box the cheap minimum image is exact only up to maxCutoff(): longer distances cannot be judged.
    const bool unbounded = std::isinf(reach) || (box.periodic && box.isTriclinic() && reach > box.maxCutoff());
    if (unbounded)
        listAllPairs(executor);
    else
        listCells(x, executor, reach);
    joinRows(executor);
    rebuilds++;
}

template <class Real> void NeighborList<Real>::listAllPairs(Executor& executor) {
    const int numAtoms = topology->numAtoms;
    const Exclusions& exclusions = topology->exclusions;
    const int numBlocks = executor.numThreads();
    starts.assign(numAtoms + 1, 0);
    blockRows.resize(numBlocks);
    executor.run(numBlocks, [&](int block) {
        auto& rows = blockRows[block];
        rows.clear();
        for (int i = evenBlockStart(numAtoms, numBlocks, block); i < evenBlockStart(numAtoms, numBlocks, block + 1); i++) {
            const size_t before = rows.size();
            for (int j = i + 1; j < numAtoms; j++)
                if (exclusions.empty() || !exclusions.contains(i, j))
                    rows.push_back(j);
            starts[i + 1] = static_cast<int>(rows.size() - before);
        }
    });
}

template <class Real> void NeighborList<Real>::listCells(const Real* x, Executor& executor, double reach) {
    const int numAtoms = topology->numAtoms;
    const Exclusions& exclusions = topology->exclusions;
    const CellGrid cells(x, numAtoms, box, reach);
    const LoopBox<Real> loopBox(box);
    const Real reach2 = Real(reach * reach);
    const int numBlocks = executor.numThreads();
    starts.assign(numAtoms + 1, 0);
    blockRows.resize(numBlocks);
    executor.run(numBlocks, [&](int block) {
        auto& rows = blockRows[block];
        rows.clear();
        int adjacent[27];
        for (int i = evenBlockStart(numAtoms, numBlocks, block); i < evenBlockStart(numAtoms, numBlocks, block + 1); i++) {
            const size_t before = rows.size();
            const int numAdjacent = cells.adjacent(cells.cellOf[i], box.periodic, adjacent);
            for (int c = 0; c < numAdjacent; c++) {
                const int* end = cells.members.data() + cells.start[adjacent[c] + 1];
                const int* first = std::upper_bound(cells.members.data() + cells.start[adjacent[c]], end, i);
                for (const int* j = first; j != end; j++)
                    if (loopBox.distanceSquared(x + 3 * i, x + 3 * *j) < reach2 &&
                        (exclusions.empty() || !exclusions.contains(i, *j)))
                        rows.push_back(*j);
            }
            std::sort(rows.begin() + before, rows.end());
            starts[i + 1] = static_cast<int>(rows.size() - before);
        }
    });
}

template <class Real> void NeighborList<Real>::joinRows(Executor& executor) {
    for (size_t i = 1; i < starts.size(); i++)
        starts[i] += starts[i - 1];
    partners.resize(starts.back());
    const int numBlocks = static_cast<int>(blockRows.size());
    executor.run(numBlocks, [&](int block) {
        const int begin = starts[evenBlockStart(topology->numAtoms, numBlocks, block)];
        std::copy(blockRows[block].begin(), blockRows[block].end(), partners.begin() + begin);
    });
}

template class NeighborList<float>;
template class NeighborList<double>;

} // namespace diffpair
