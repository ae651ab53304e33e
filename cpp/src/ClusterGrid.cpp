#include "ClusterGrid.h"
#include "diffpair/NeighborList.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace diffpair {

namespace {

/** Fractional coordinates of p in a lower-triangular cell. */
void toFractional(const double* cell, const double* p, double* s) {
    s[2] = p[2] / cell[8];
    s[1] = (p[1] - s[2] * cell[7]) / cell[4];
    s[0] = (p[0] - s[1] * cell[3] - s[2] * cell[6]) / cell[0];
}

} // namespace

template <class Source>
ClusterGrid::ClusterGrid(const Source* x, int numAtoms, const Box& box, Executor& executor) : box(box), low{0, 0, 0} {
    std::copy(box.vectors, box.vectors + 9, cell);
    for (int i = 0; i < 3 * numAtoms; i++)
        if (!std::isfinite(x[i]))
            throw std::domain_error("The coordinates of particle " + std::to_string(i / 3) + " are not finite.");
    if (!box.periodic) {
        std::fill(cell, cell + 9, 0.0);
        for (int d = 0; d < 3; d++) {
            double high = low[d] = numAtoms > 0 ? x[d] : 0;
            for (int i = 0; i < numAtoms; i++) {
                low[d] = std::min(low[d], static_cast<double>(x[3 * i + d]));
                high = std::max(high, static_cast<double>(x[3 * i + d]));
            }
            cell[4 * d] = std::max((high - low[d]) * (1 + 1e-6), 1e-6);
        }
    }
    // Perpendicular widths: volume over the area of the face that the other two vectors span.
    const double ax = cell[0], bx = cell[3], by = cell[4], cx = cell[6], cy = cell[7], cz = cell[8];
    const double volume = ax * by * cz, cross = bx * cy - by * cx;
    width[0] = volume / std::sqrt(by * by * cz * cz + bx * bx * cz * cz + cross * cross);
    width[1] = volume / (ax * std::sqrt(cy * cy + cz * cz));
    width[2] = cz;
    const double side = std::cbrt(clusterSize * volume / std::max(numAtoms, 1));
    const double most = std::sqrt(numAtoms / double(clusterSize)) + 1; // a column should hold a cluster
    for (int d = 0; d < 2; d++)
        columns[d] = static_cast<int>(std::clamp(std::floor(width[d] / side), 1.0, most));
    sortIntoColumns(x, numAtoms, executor);
}

template <class Source> void ClusterGrid::sortIntoColumns(const Source* x, int numAtoms, Executor& executor) {
    const int numColumns = columns[0] * columns[1], numBlocks = executor.numThreads();
    std::vector<int> columnOf(numAtoms), atomStart(numColumns + 1, 0);
    std::vector<double> shift(3 * static_cast<size_t>(numAtoms)), height(numAtoms);
    executor.run(numBlocks, [&](int block) {
        for (int i = evenBlockStart(numAtoms, numBlocks, block); i < evenBlockStart(numAtoms, numBlocks, block + 1); i++) {
            double p[3], s[3], whole[3] = {0, 0, 0};
            for (int d = 0; d < 3; d++)
                p[d] = x[3 * i + d] - low[d];
            toFractional(cell, p, s);
            for (int d = 0; d < 3; d++) {
                if (box.periodic)
                    whole[d] = std::floor(s[d]);
                s[d] -= whole[d];
            }
            for (int d = 0; d < 3; d++)
                shift[3 * i + d] = low[d] + whole[0] * cell[d] + whole[1] * cell[3 + d] + whole[2] * cell[6 + d];
            const int a = std::clamp(static_cast<int>(s[0] * columns[0]), 0, columns[0] - 1);
            const int b = std::clamp(static_cast<int>(s[1] * columns[1]), 0, columns[1] - 1);
            columnOf[i] = a * columns[1] + b;
            height[i] = s[2];
        }
    });
    for (int i = 0; i < numAtoms; i++)
        atomStart[columnOf[i] + 1]++;
    columnStart.assign(numColumns + 1, 0);
    for (int c = 0; c < numColumns; c++) {
        columnStart[c + 1] = columnStart[c] + (atomStart[c + 1] + clusterSize - 1) / clusterSize;
        atomStart[c + 1] += atomStart[c];
    }
    std::vector<std::pair<double, int>> sorted(numAtoms); // by column, then by height
    std::vector<int> next(atomStart.begin(), atomStart.end() - 1);
    for (int i = 0; i < numAtoms; i++)
        sorted[next[columnOf[i]]++] = {height[i], i};

    const int numClusters = columnStart.back();
    order.assign(static_cast<size_t>(clusterSize) * numClusters, -1);
    offsets.assign(3 * order.size(), 0.0);
    bottom.resize(numClusters);
    top.resize(numClusters);
    executor.run(numBlocks, [&](int block) {
        for (int c = evenBlockStart(numColumns, numBlocks, block); c < evenBlockStart(numColumns, numBlocks, block + 1); c++) {
            std::sort(sorted.begin() + atomStart[c], sorted.begin() + atomStart[c + 1]);
            size_t slot = static_cast<size_t>(clusterSize) * columnStart[c];
            for (int k = atomStart[c]; k < atomStart[c + 1]; k++, slot++) {
                const auto [height, i] = sorted[k];
                const size_t within = slot % clusterSize, own = slot / clusterSize;
                order[slot] = i;
                std::copy(shift.begin() + 3 * i, shift.begin() + 3 * i + 3, offsets.begin() + 3 * slot);
                if (within == 0)
                    bottom[own] = height;
                top[own] = height;
            }
        }
    });
}

bool ClusterGrid::reachesOut(int cluster, int column, double reach) const {
    if (!box.periodic)
        return false;
    const int at[2] = {column / columns[1], column % columns[1]};
    bool out = bottom[cluster] * width[2] < reach || (1 - top[cluster]) * width[2] < reach;
    for (int d = 0; d < 2; d++)
        out |= at[d] * width[d] < reach * columns[d] || (columns[d] - 1 - at[d]) * width[d] < reach * columns[d];
    return out;
}

int ClusterSweep::moveTo(int next) {
    cluster = next;
    int newColumn = column < 0 ? 0 : column;
    while (grid.columnStart[newColumn + 1] <= cluster)
        newColumn++;
    if (newColumn != column) {
        column = newColumn;
        startColumn();
    }
    return column;
}

/** Finds the columns at and after this one that come within reach, and how much of their height does. */
void ClusterSweep::startColumn() {
    windows.clear();
    size_t most = 1; // candidates
    const int *columns = grid.columns, at[2] = {column / columns[1], column % columns[1]};
    const bool rectangular = !grid.box.periodic || !grid.box.isTriclinic();
    std::vector<double> gaps[2]; // between this column and the others along each direction
    for (int d = 0; d < 2; d++)
        for (int k = 0; k < columns[d]; k++) {
            int apart = std::abs(k - at[d]);
            if (grid.box.periodic)
                apart = std::min(apart, columns[d] - apart);
            // A little less, so that no rounding of a fractional coordinate can hide a pair.
            gaps[d].push_back(apart < 2 ? 0 : (apart - 1 - 1e-6) * grid.width[d] / columns[d]);
        }
    for (int a = at[0]; a < columns[0]; a++)
        for (int b = a == at[0] ? at[1] : 0; b < columns[1]; b++) {
            // Each gap alone is no more than the distance; their squares add up where the directions are perpendicular.
            const double square = rectangular ? gaps[0][a] * gaps[0][a] + gaps[1][b] * gaps[1][b] : 0;
            if (gaps[0][a] > reach || gaps[1][b] > reach || square > reach * reach)
                continue;
            const int c = a * columns[1] + b, size = grid.columnStart[c + 1] - grid.columnStart[c];
            const int first = grid.box.periodic ? -size : 0;
            if (size > 0) {
                const double range = std::sqrt(reach * reach - square) / grid.width[2] + 1e-6;
                windows.push_back({c, first, first, range, heightOf(grid.top, c, first), heightOf(grid.bottom, c, first)});
                most += size;
            }
        }
    found.resize(clusterSize * most + widestPack);
}

/** Of a cluster counted as in Window; infinite behind the last one. */
double ClusterSweep::heightOf(const std::vector<double>& heights, int ofColumn, int k) const {
    const int first = grid.columnStart[ofColumn], size = grid.columnStart[ofColumn + 1] - first;
    if (k >= (grid.box.periodic ? 2 * size : size))
        return std::numeric_limits<double>::infinity();
    return k < 0 ? heights[first + k + size] - 1 : k < size ? heights[first + k] : heights[first + k - size] + 1;
}

void ClusterSweep::advance(Window& window) const {
    const double from = grid.bottom[cluster] - window.range, to = grid.top[cluster] + window.range;
    while (window.lowTop < from)
        window.lowTop = heightOf(grid.top, window.column, ++window.low);
    if (window.high < window.low) {
        window.high = window.low;
        window.highBottom = heightOf(grid.bottom, window.column, window.high);
    }
    while (window.highBottom <= to)
        window.highBottom = heightOf(grid.bottom, window.column, ++window.high);
}

int ClusterSweep::candidates() {
    int kept = 0;
    // Clusters that follow each other have atoms that do.
    const auto add = [&](int firstCluster, int endCluster) {
        int* to = found.data() + kept;
        for (int c = firstCluster; c < endCluster; c++, to += clusterSize)
            for (int l = 0; l < clusterSize; l++)
                to[l] = offsetOfSlot(clusterSize * c + l);
        kept = static_cast<int>(to - found.data());
    };
    add(cluster, cluster + 1);
    for (Window& window : windows) {
        const int first = grid.columnStart[window.column], size = grid.columnStart[window.column + 1] - first;
        int low = 0, high = size;
        if (!grid.box.periodic || grid.top[cluster] - grid.bottom[cluster] + 2 * window.range < 1) {
            advance(window);
            low = window.low, high = std::min(window.high, window.low + size); // each cluster once
        }
        const int least = cluster + 1;
        if (low >= 0 && high <= size) {
            add(std::max(first + low, least), first + high);
        } else { // in ascending order: images from above, the column itself, images from below
            add(std::max(first + std::max(low, size) - size, least), first + std::max(high, size) - size);
            add(std::max(first + std::max(low, 0), least), first + std::min(high, size));
            add(std::max(first + std::min(low, 0) + size, least), first + std::min(high, 0) + size);
        }
    }
    std::fill_n(found.begin() + kept, widestPack, 0);
    return kept;
}

template ClusterGrid::ClusterGrid(const float*, int, const Box&, Executor&);
template ClusterGrid::ClusterGrid(const double*, int, const Box&, Executor&);

} // namespace diffpair
