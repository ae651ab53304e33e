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
        const double limit = 0.4999 * skin, square = load(x, executor);
        updates++;
        if (square < limit * limit)
            return false;
        if (tuned && std::isfinite(square))
            chooseSkin(std::sqrt(square));
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
    present.resize(4 * order.size());
    builtAt.assign(4 * order.size(), Real(0));
    load(x, executor);
    builtAt = present;
    search(grid, executor);
    rebuilds++;
    updates = 0;
}

/**
 * Least cost of a step that goes through all listed pairs and pays for its share of the next rebuild. With atoms that use up
 * `drift` of the skin s in a step, it is in proportion to (cutoff + s)^3 (1 + price drift / s).
 */
template <class Real> void NeighborList<Real>::chooseSkin(double moved) {
    constexpr double price = 10;               // a rebuild against going through its list once; measured, AVX2 and AVX-512
    constexpr double least = 0.03, most = 0.3; // of the cutoff
    const double drift = price * 2 * moved / static_cast<double>(updates);
    const double best = (std::sqrt(drift * drift + 3 * drift * cutoff) - drift) / 3;
    skin = std::clamp(best, least * cutoff, most * cutoff);
}

/** Fills `present` and returns the largest squared displacement since the build; infinity if a position is not a number. */
template <class Real> template <class Source> double NeighborList<Real>::load(const Source* x, Executor& executor) {
    constexpr Real infinity = std::numeric_limits<Real>::infinity();
    const int slots = numSlots(), numBlocks = executor.numThreads();
    const int* types = topology->numTypes > 1 ? topology->types.data() : nullptr;
    largest.assign(numBlocks, 0.0);
    executor.run(numBlocks, [&](int block) {
        Real most = 0;
        for (int slot = evenBlockStart(slots, numBlocks, block); slot < evenBlockStart(slots, numBlocks, block + 1); slot++) {
            Real* to = present.data() + offsetOfSlot(slot);
            const Real* before = builtAt.data() + offsetOfSlot(slot);
            if (order[slot] < 0) { // not a number is never within any distance
                to[0] = to[1] = to[2] = std::numeric_limits<Real>::quiet_NaN();
                to[3] = 0;
                continue;
            }
            const Source* p = x + 3 * static_cast<size_t>(order[slot]);
            const double* offset = offsets.data() + 3 * static_cast<size_t>(slot);
            Real square = 0;
            for (int d = 0; d < 3; d++) {
                to[d] = static_cast<Real>(p[d] - offset[d]);
                const Real moved = to[d] - before[d];
                square += moved * moved;
            }
            to[3] = types ? Real(types[order[slot]]) : Real(0);
            if (!(square <= most)) // also if it is not a number
                most = square < infinity ? square : infinity;
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
    imageNeeds.assign(clusters, 0);
    blockRows.resize(numBlocks);
    executor.run(numBlocks, [&](int block) {
        ClusterSweep sweep(grid, reach);
        blockRows[block].clear();
        for (int c = evenBlockStart(clusters, numBlocks, block); c < evenBlockStart(clusters, numBlocks, block + 1); c++) {
            const int column = sweep.moveTo(c);
            imageNeeds[c] = grid.reachesOut(c, column, reach);
            searchCluster(sweep, c, reachSquared, blockRows[block]);
        }
    });
    for (int i = 0; i < numSlots(); i++)
        starts[i + 1] += starts[i];
    longest = 0;
    for (int c = 0; c < clusters; c++)
        longest = std::max(longest, starts[clusterSize * (c + 1)] - starts[clusterSize * c]);
    partners.resize(starts.back() + widestPack);
    std::fill(partners.end() - widestPack, partners.end(), 0);
    executor.run(numBlocks, [&](int block) {
        const int begin = starts[clusterSize * evenBlockStart(clusters, numBlocks, block)];
        std::copy(blockRows[block].begin(), blockRows[block].end(), partners.begin() + begin);
    });
}

/** Appends the rows of a cluster's atoms and writes their lengths to `starts`. */
template <class Real>
void NeighborList<Real>::searchCluster(ClusterSweep& sweep, int cluster, Real reachSquared, std::vector<int>& rows) {
    thread_local std::vector<int> found;
    const int count = sweep.candidates(), capacity = count + widestPack;
    if (found.size() < static_cast<size_t>(clusterSize) * capacity)
        found.resize(static_cast<size_t>(clusterSize) * capacity);
    int *ends[clusterSize], sizes[clusterSize];
    for (int l = 0; l < clusterSize; l++)
        ends[l] = found.data() + static_cast<size_t>(l) * capacity;
    pairKernels<Real>().search(
        {present.data(), cluster, sweep.offsets(), count, reachSquared, LoopBox<Real>(box), imageNeeds[cluster] != 0}, ends,
        sizes);
    const Exclusions& exclusions = topology->exclusions;
    for (int l = 0; l < clusterSize; l++) {
        const int slot = clusterSize * cluster + l, atom = order[slot], own = offsetOfSlot(slot);
        const int *begin = ends[l], *end = begin + sizes[l];
        // Candidates start with the cluster itself: of its own atoms only the later ones count.
        while (begin < end && *begin <= own && slotAtOffset(*begin) / clusterSize == cluster)
            begin++;
        const size_t first = rows.size();
        rows.insert(rows.end(), begin, end);
        if (atom >= 0 && !exclusions.empty() && exclusions.start[atom] < exclusions.start[atom + 1])
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
