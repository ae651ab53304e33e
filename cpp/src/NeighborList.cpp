#include "diffpair/NeighborList.h"
#include "ClusterGrid.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace diffpair {

template <class Real>
NeighborList<Real>::NeighborList(const PairTopology& topology, double cutoff, double skin)
    : topology(&topology), cutoff(cutoff), skin(skin) {
}

template <class Real>
template <class Source>
bool NeighborList<Real>::update(const Source* x, const Box& newBox, Executor& executor) {
    if (!starts.empty() && newBox.periodic == box.periodic &&
        std::memcmp(newBox.vectors, box.vectors, sizeof(box.vectors)) == 0) {
        // A little less than half the skin, so that rounding of the distances cannot hide a pair.
        const double limit = 0.4999 * skin;
        if (load(x, executor) < limit * limit)
            return false;
    }
    rebuild(x, newBox, executor);
    return true;
}

template <class Real>
template <class Source>
void NeighborList<Real>::rebuild(const Source* x, const Box& newBox, Executor& executor) {
    box = newBox;
    const ClusterGrid grid(x, topology->numAtoms, box, executor);
    order = grid.order;
    offsets = grid.offsets;
    present.resize(3 * order.size());
    builtAt.assign(3 * order.size(), Real(0));
    load(x, executor);
    builtAt = present;
    search(grid, executor);
    rebuilds++;
}

/** Fills `present` and returns the largest squared displacement since the build; infinity if a position is not a number. */
template <class Real> template <class Source> double NeighborList<Real>::load(const Source* x, Executor& executor) {
    const int slots = numSlots(), numBlocks = executor.numThreads();
    std::vector<double> largest(numBlocks, 0.0);
    executor.run(numBlocks, [&](int block) {
        Real most = 0;
        for (int slot = evenBlockStart(slots, numBlocks, block); slot < evenBlockStart(slots, numBlocks, block + 1); slot++) {
            Real* to = present.data() + offsetOfSlot(slot);
            const Real* before = builtAt.data() + offsetOfSlot(slot);
            if (order[slot] < 0) { // not a number is never within any distance
                to[0] = to[yOffset] = to[zOffset] = std::numeric_limits<Real>::quiet_NaN();
                continue;
            }
            const Source* p = x + 3 * static_cast<size_t>(order[slot]);
            const double* offset = offsets.data() + 3 * static_cast<size_t>(slot);
            Real square = 0;
            for (int d = 0; d < 3; d++) {
                to[d * clusterSize] = static_cast<Real>(p[d] - offset[d]);
                const Real moved = to[d * clusterSize] - before[d * clusterSize];
                square += moved * moved;
            }
            if (!(square <= most)) // also if it is not a number
                most = square < std::numeric_limits<Real>::infinity() ? square : std::numeric_limits<Real>::infinity();
        }
        largest[block] = static_cast<double>(most);
    });
    return *std::max_element(largest.begin(), largest.end());
}

template <class Real> void NeighborList<Real>::search(const ClusterGrid& grid, Executor& executor) {
    const int clusters = numSlots() / clusterSize;
    const double reach = cutoff + skin;
    // In a triclinic box distances beyond maxCutoff() cannot be judged cheaply: keep such pairs.
    const bool judge = !box.periodic || !box.isTriclinic() || reach <= box.maxCutoff();
    const Real reachSquared = judge ? static_cast<Real>(reach * reach) : std::numeric_limits<Real>::infinity();
    // More blocks than threads even out rows of different length; the list does not depend on their number.
    const int numBlocks = executor.numThreads() == 1 ? 1 : 8 * executor.numThreads();
    starts.assign(numSlots() + 1, 0);
    blockRows.resize(numBlocks);
    executor.run(numBlocks, [&](int block) {
        blockRows[block].clear();
        for (int c = evenBlockStart(clusters, numBlocks, block); c < evenBlockStart(clusters, numBlocks, block + 1); c++)
            searchCluster(grid, c, reachSquared, blockRows[block]);
    });
    for (int i = 0; i < numSlots(); i++)
        starts[i + 1] += starts[i];
    partners.resize(starts.back());
    executor.run(numBlocks, [&](int block) {
        const int begin = starts[clusterSize * evenBlockStart(clusters, numBlocks, block)];
        std::copy(blockRows[block].begin(), blockRows[block].end(), partners.begin() + begin);
    });
}

/** Appends the rows of a cluster's atoms and writes their lengths to `starts`. */
template <class Real>
void NeighborList<Real>::searchCluster(const ClusterGrid& grid, int cluster, Real reachSquared, std::vector<int>& rows) {
    thread_local std::vector<int> nearby;
    thread_local std::vector<Real> distances;
    nearby.clear();
    grid.candidates(cluster, cutoff + skin, nearby);
    distances.resize(clusterSize * nearby.size());
    const LoopBox<Real> loopBox(box);
    const Exclusions& exclusions = topology->exclusions;
    for (int l = 0; l < clusterSize; l++) {
        const int slot = clusterSize * cluster + l, atom = order[slot], own = offsetOfSlot(slot);
        if (atom < 0)
            continue;
        const size_t first = rows.size();
        rows.resize(first + clusterSize * nearby.size());
        const int kept = pairKernels<Real>().search(present.data(), own, nearby.data(), static_cast<int>(nearby.size()),
                                                    reachSquared, loopBox, distances.data(), rows.data() + first);
        // Candidates start with the cluster itself: of its own atoms only the later ones count.
        rows.resize(first + kept);
        rows.erase(rows.begin() + first, std::upper_bound(rows.begin() + first, rows.end(), own));
        if (!exclusions.empty() && exclusions.start[atom] < exclusions.start[atom + 1])
            rows.erase(std::remove_if(rows.begin() + first, rows.end(),
                                      [&](int offset) { return exclusions.contains(atom, order[slotAtOffset(offset)]); }),
                       rows.end());
        starts[slot + 1] = static_cast<int>(rows.size() - first);
    }
}

#define DIFFPAIR_INSTANTIATE(Real, Source)                                                                                       \
    template bool NeighborList<Real>::update<Source>(const Source*, const Box&, Executor&);                                      \
    template void NeighborList<Real>::rebuild<Source>(const Source*, const Box&, Executor&);
template class NeighborList<float>;
template class NeighborList<double>;
DIFFPAIR_INSTANTIATE(float, float)
DIFFPAIR_INSTANTIATE(float, double)
DIFFPAIR_INSTANTIATE(double, double)
#undef DIFFPAIR_INSTANTIATE

} // namespace diffpair
