#include "ClusterGrid.h"
#include "diffpair/NeighborList.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace diffpair {

namespace {

/** Of the atoms' coordinates along each direction so many, in ascending order, tell where columns had best be. */
constexpr int sampleSize = 1024;

} // namespace

template <class Source>
ClusterGrid::ClusterGrid(const Source* x, int numAtoms, const Box& box, Executor& executor, double cutoff, double reach)
    : box(box) {
    requireCoordinates(x, numAtoms);
    if (box.periodic) {
        fold = Fold(box, cutoff, reach, nullptr, nullptr, nullptr);
        placeEqualColumns(numAtoms);
    } else {
        placeColumns(x, numAtoms, cutoff, reach);
    }
    sortIntoColumns(x, numAtoms, executor);
}

namespace {

/** How many columns there should be along x and y so that atoms, dense within these lengths, make compact clusters. */
void chooseColumns(const double* length, int numAtoms, int* columns) {
    const double side = std::cbrt(clusterSize * length[0] * length[1] * length[2] / std::max(numAtoms, 1));
    const double most = std::sqrt(numAtoms / double(clusterSize)) + 1; // a column should hold a cluster
    for (int d = 0; d < 2; d++)
        columns[d] = static_cast<int>(std::clamp(std::floor(length[d] / side), 1.0, most));
}

} // namespace

void ClusterGrid::placeEqualColumns(int numAtoms) {
    perpendicularWidths(box.vectors, width);
    const double volumeWidths[3] = {width[0], width[1], box.volume() / (width[0] * width[1])};
    chooseColumns(volumeWidths, numAtoms, columns);
    for (int d = 0; d < 2; d++)
        for (int k = 0; k <= columns[d]; k++)
            edges[d].push_back(k * width[d] / columns[d]);
}

template <class Source> void ClusterGrid::placeColumns(const Source* x, int numAtoms, double cutoff, double reach) {
    const int stride = std::max(1, numAtoms / sampleSize);
    double low[3] = {0, 0, 0}, high[3] = {0, 0, 0}, middle[3] = {0, 0, 0}, length[3];
    std::vector<double> sample[3];
    for (int d = 0; d < 3; d++) {
        width[d] = 1;
        if (numAtoms > 0)
            low[d] = high[d] = x[d];
        for (int i = 0; i < numAtoms; i++) {
            low[d] = std::min(low[d], static_cast<double>(x[3 * i + d]));
            high[d] = std::max(high[d], static_cast<double>(x[3 * i + d]));
        }
        for (int i = 0; i < numAtoms; i += stride)
            sample[d].push_back(x[3 * i + d]);
        std::sort(sample[d].begin(), sample[d].end());
        if (numAtoms > 0)
            middle[d] = sample[d][sample[d].size() / 2];
        length[d] = 1e-6;
        for (size_t k = 1; k < sample[d].size(); k++) // empty space does not count
            length[d] += std::min(sample[d][k] - sample[d][k - 1], 2 * cutoff);
    }
    fold = Fold(box, cutoff, reach, low, high, middle);
    slack = 4 * std::numeric_limits<double>::epsilon() * std::max(std::abs(low[2]), std::abs(high[2]));
    chooseColumns(length, numAtoms, columns);
    for (int d = 0; d < 2; d++) {
        edges[d].push_back(-std::numeric_limits<double>::infinity());
        for (int k = 1; k < columns[d]; k++)
            edges[d].push_back(sample[d][k * sample[d].size() / columns[d]]);
        edges[d].push_back(std::numeric_limits<double>::infinity());
    }
}

/** @param place  of an atom: fractional in the box, in nm if there is none */
int ClusterGrid::columnOf(const double* place) const {
    int at[2];
    for (int d = 0; d < 2; d++)
        if (box.periodic)
            at[d] = std::clamp(static_cast<int>(place[d] * columns[d]), 0, columns[d] - 1);
        else
            at[d] = static_cast<int>(std::upper_bound(edges[d].begin() + 1, edges[d].end() - 1, place[d]) - edges[d].begin()) - 1;
    return at[0] * columns[1] + at[1];
}

template <class Source> void ClusterGrid::sortIntoColumns(const Source* x, int numAtoms, Executor& executor) {
    const int numColumns = columns[0] * columns[1], numBlocks = executor.numThreads();
    std::vector<int> columnOfAtom(numAtoms), atomStart(numColumns + 1, 0);
    std::vector<double> shift(3 * static_cast<size_t>(numAtoms)), height(numAtoms), marginOfAtom(numAtoms);
    executor.run(numBlocks, [&](int block) {
        for (int i = evenBlockStart(numAtoms, numBlocks, block); i < evenBlockStart(numAtoms, numBlocks, block + 1); i++) {
            const double p[3] = {static_cast<double>(x[3 * i]), static_cast<double>(x[3 * i + 1]),
                                 static_cast<double>(x[3 * i + 2])};
            double place[3];
            marginOfAtom[i] = fold.fold(p, shift.data() + 3 * i, place);
            if (!box.periodic)
                std::copy(p, p + 3, place);
            else if (fold.hidesDistances()) {
                toFractional(box.vectors, p, place);
                for (double& s : place)
                    s -= std::floor(s);
            }
            columnOfAtom[i] = columnOf(place);
            height[i] = place[2];
        }
    });
    for (int i = 0; i < numAtoms; i++)
        atomStart[columnOfAtom[i] + 1]++;
    columnStart.assign(numColumns + 1, 0);
    for (int c = 0; c < numColumns; c++) {
        columnStart[c + 1] = columnStart[c] + (atomStart[c + 1] + clusterSize - 1) / clusterSize;
        atomStart[c + 1] += atomStart[c];
    }
    std::vector<std::pair<double, int>> sorted(numAtoms); // by column, then by height
    std::vector<int> next(atomStart.begin(), atomStart.end() - 1);
    for (int i = 0; i < numAtoms; i++)
        sorted[next[columnOfAtom[i]]++] = {height[i], i};

    const int numClusters = columnStart.back();
    order.assign(static_cast<size_t>(clusterSize) * numClusters, -1);
    offsets.assign(3 * order.size(), 0.0);
    bottom.resize(numClusters);
    top.resize(numClusters);
    margin.assign(numClusters, std::numeric_limits<double>::infinity());
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
                margin[own] = std::min(margin[own], marginOfAtom[i]);
            }
        }
    });
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
        for (int k = 0; k < columns[d]; k++)
            gaps[d].push_back(gapBetween(d, at[d], k));
    for (int a = at[0]; a < columns[0]; a++)
        for (int b = a == at[0] ? at[1] : 0; b < columns[1]; b++) {
            // Each gap alone is no more than the distance; their squares add up where the directions are perpendicular.
            const double square = rectangular ? gaps[0][a] * gaps[0][a] + gaps[1][b] * gaps[1][b] : 0;
            if (gaps[0][a] > reach || gaps[1][b] > reach || square > reach * reach)
                continue;
            const int c = a * columns[1] + b, size = grid.columnStart[c + 1] - grid.columnStart[c];
            const int first = grid.box.periodic ? -size : 0;
            if (size > 0) {
                const double range = (1 + 1e-6) * std::sqrt(reach * reach - square) / grid.width[2] + grid.slack;
                windows.push_back({c, first, first, range, heightOf(grid.top, c, first), heightOf(grid.bottom, c, first)});
                most += size;
            }
        }
    found.resize(clusterSize * most + widestPack);
}

/** Least distance of atoms in these two columns along x or y, counted from face to face of the box. */
double ClusterSweep::gapBetween(int direction, int one, int other) const {
    if (one == other)
        return 0;
    const std::vector<double>& edges = grid.edges[direction];
    const int first = std::min(one, other), second = std::max(one, other);
    double gap = edges[second] - edges[first + 1];
    if (!grid.box.periodic)
        return gap;
    gap = std::min(gap, edges[first] + edges.back() - edges[second + 1]);
    // A little less, so that no rounding of a fractional coordinate can hide a pair.
    return std::max(0.0, gap - 1e-6 * edges[1]);
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

template ClusterGrid::ClusterGrid(const float*, int, const Box&, Executor&, double, double);
template ClusterGrid::ClusterGrid(const double*, int, const Box&, Executor&, double, double);

} // namespace diffpair
