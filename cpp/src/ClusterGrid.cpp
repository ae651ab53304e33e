#include "ClusterGrid.h"
#include "diffpair/NeighborList.h"
#include "MinimumImage.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace diffpair {

namespace {

/** See the members of ClusterGrid. */
struct Bounds {
    double centre[3], half[3], radius, extent[3];
};

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
    std::vector<int> sorted(numAtoms), next(atomStart.begin(), atomStart.end() - 1);
    for (int i = 0; i < numAtoms; i++)
        sorted[next[columnOf[i]]++] = i;

    const int numClusters = columnStart.back();
    order.assign(static_cast<size_t>(clusterSize) * numClusters, -1);
    offsets.assign(3 * order.size(), 0.0);
    std::vector<Bounds> bounds(numClusters);
    fractional.resize(2 * static_cast<size_t>(numClusters));
    heights.resize(numClusters);
    executor.run(numBlocks, [&](int block) {
        for (int c = evenBlockStart(numColumns, numBlocks, block); c < evenBlockStart(numColumns, numBlocks, block + 1); c++) {
            std::sort(sorted.begin() + atomStart[c], sorted.begin() + atomStart[c + 1],
                      [&](int i, int j) { return height[i] != height[j] ? height[i] < height[j] : i < j; });
            std::copy(sorted.begin() + atomStart[c], sorted.begin() + atomStart[c + 1],
                      order.begin() + static_cast<size_t>(clusterSize) * columnStart[c]);
            for (int k = columnStart[c]; k < columnStart[c + 1]; k++) {
                Bounds& b = bounds[k];
                double least[3] = {0, 0, 0}, most[3] = {0, 0, 0}, sum[3] = {0, 0, 0};
                int count = 0;
                for (int l = 0; l < clusterSize; l++) {
                    const int i = order[clusterSize * k + l];
                    if (i < 0)
                        continue;
                    for (int d = 0; d < 3; d++) {
                        offsets[3 * (static_cast<size_t>(clusterSize) * k + l) + d] = shift[3 * i + d];
                        const double p = x[3 * i + d] - shift[3 * i + d];
                        least[d] = count ? std::min(least[d], p) : p;
                        most[d] = count ? std::max(most[d], p) : p;
                        sum[d] += p;
                    }
                    count++;
                }
                double s[3], square = 0;
                for (int d = 0; d < 3; d++) {
                    b.centre[d] = sum[d] / count;
                    b.half[d] = std::max(most[d] - b.centre[d], b.centre[d] - least[d]);
                    square += b.half[d] * b.half[d];
                }
                b.radius = std::sqrt(square);
                toFractional(cell, b.centre, s);
                fractional[2 * k] = s[0], fractional[2 * k + 1] = s[1], heights[k] = s[2];
                std::fill(b.extent, b.extent + 3, 0.0);
                for (int l = 0; l < count; l++) {
                    const size_t slot = static_cast<size_t>(clusterSize) * k + l;
                    double p[3], at[3];
                    for (int d = 0; d < 3; d++)
                        p[d] = x[3 * static_cast<size_t>(order[slot]) + d] - offsets[3 * slot + d];
                    toFractional(cell, p, at);
                    for (int d = 0; d < 3; d++)
                        b.extent[d] = std::max(b.extent[d], std::abs(at[d] - s[d]));
                }
            }
        }
    });
    const double slack = 4e-6 * (cell[0] + cell[4] + cell[8]); // more than the rounding of single precision
    radii.resize(numClusters);
    for (int d = 0; d < 3; d++) {
        centres[d].resize(numClusters);
        halves[d].resize(numClusters);
        extents[d].resize(numClusters);
    }
    for (int k = 0; k < numClusters; k++) {
        const Bounds& b = bounds[k];
        for (int d = 0; d < 3; d++) {
            extents[d][k] = b.extent[d];
            largestExtent[d] = std::max(largestExtent[d], b.extent[d]);
            centres[d][k] = static_cast<float>(b.centre[d]);
            halves[d][k] = static_cast<float>(b.half[d] + slack);
        }
        radii[k] = static_cast<float>(b.radius + slack);
    }
}

/**
 * Squares of distances that no pair of atoms of clusters i and j undercuts, for j = begin .. end - 1. Single precision, on
 * bounds that are widened by more than its rounding.
 */
template <bool Triclinic> void ClusterGrid::separations(int i, int begin, int end, float* square) const {
    const LoopBox<float> loopBox(box);
    const float *cx = centres[0].data(), *cy = centres[1].data(), *cz = centres[2].data();
    const float *hx = halves[0].data(), *hy = halves[1].data(), *hz = halves[2].data(), *radius = radii.data();
    const float x = cx[i], y = cy[i], z = cz[i], ex = hx[i], ey = hy[i], ez = hz[i], own = radius[i];
    const float judged = box.periodic ? static_cast<float>(box.maxCutoff()) : 0.0f;
    for (int j = begin; j < end; j++) {
        float dx = x - cx[j], dy = y - cy[j], dz = z - cz[j];
        loopBox.apply<Triclinic>(dx, dy, dz);
        if (Triclinic) {
            // The minimum image is exact below maxCutoff(); a longer one only says that the distance is not shorter.
            const float length = __builtin_sqrtf(dx * dx + dy * dy + dz * dz);
            const float gap = (length < judged ? length : judged) - own - radius[j];
            square[j - begin] = gap > 0 ? gap * gap : 0;
        } else {
            dx = (dx < 0 ? -dx : dx) - ex - hx[j];
            dy = (dy < 0 ? -dy : dy) - ey - hy[j];
            dz = (dz < 0 ? -dz : dz) - ez - hz[j];
            dx = dx > 0 ? dx : 0;
            dy = dy > 0 ? dy : 0;
            dz = dz > 0 ? dz : 0;
            square[j - begin] = dx * dx + dy * dy + dz * dz;
        }
    }
}

void ClusterGrid::columnsAround(int i, double reach, std::vector<int>& out) const {
    out.clear();
    int first[2], last[2];
    for (int d = 0; d < 2; d++) {
        const double centre = fractional[2 * i + d], range = reach / width[d] + extents[d][i] + largestExtent[d];
        first[d] = static_cast<int>(std::floor((centre - range) * columns[d]));
        last[d] = static_cast<int>(std::floor((centre + range) * columns[d]));
        if (!box.periodic || last[d] - first[d] + 1 >= columns[d]) {
            first[d] = box.periodic ? 0 : std::max(first[d], 0);
            last[d] = box.periodic ? columns[d] - 1 : std::min(last[d], columns[d] - 1);
        }
    }
    for (int a = first[0]; a <= last[0]; a++)
        for (int b = first[1]; b <= last[1]; b++)
            out.push_back((a + columns[0]) % columns[0] * columns[1] + (b + columns[1]) % columns[1]);
}

void ClusterGrid::candidates(int i, double reach, std::vector<int>& out) const {
    thread_local std::vector<int> nearby;
    thread_local std::vector<float> squares;
    const bool triclinic = box.periodic && box.isTriclinic();
    const float limit = static_cast<float>(reach * reach);
    columnsAround(i, reach, nearby);
    std::sort(nearby.begin(), nearby.end());
    // Heights are sorted within a column: cut out the one or two stretches around the cluster, its images included.
    const double centre = heights[i], range = reach / width[2] + extents[2][i] + largestExtent[2];
    double low[2] = {centre - range, 2}, high[2] = {centre + range, 2};
    int stretches = 1;
    if (box.periodic && 2 * range >= 1)
        low[0] = -1, high[0] = 2;
    else if (box.periodic && (low[0] < 0 || high[0] > 1)) {
        stretches = 2;
        low[1] = low[0] < 0 ? low[0] + 1 : low[0];
        high[0] = high[0] > 1 ? high[0] - 1 : high[0];
        low[0] = -1;
    }
    for (const int column : nearby) {
        const double* begin = heights.data() + std::max(i, columnStart[column]);
        const double* end = heights.data() + columnStart[column + 1];
        for (int k = 0; k < stretches && begin < end; k++) {
            const int first = static_cast<int>(std::lower_bound(begin, end, low[k]) - heights.data());
            const int last = static_cast<int>(std::upper_bound(begin, end, high[k]) - heights.data());
            if (first >= last)
                continue;
            squares.resize(last - first);
            triclinic ? separations<true>(i, first, last, squares.data()) : separations<false>(i, first, last, squares.data());
            size_t kept = out.size();
            out.resize(kept + last - first);
            for (int j = first; j < last; j++) {
                out[kept] = j;
                kept += squares[j - first] < limit;
            }
            out.resize(kept);
        }
    }
}

template ClusterGrid::ClusterGrid(const float*, int, const Box&, Executor&);
template ClusterGrid::ClusterGrid(const double*, int, const Box&, Executor&);

} // namespace diffpair
