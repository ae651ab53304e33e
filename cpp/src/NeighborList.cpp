#include "diffpair/NeighborList.h"
#include "ClusterGrid.h"
#include "diffpair/Limits.h"
#include "PairKernels.h"
#include "RowBlocks.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace diffpair {

namespace {

void require(bool holds, const char* what, double value, const char* limits) {
    if (!holds)
        throw std::invalid_argument("A neighbour list needs " + std::string(what) + " " + limits + ", not " +
                                    std::to_string(value) + ".");
}

bool areSame(const Box& a, const Box& b) {
    return a.periodic == b.periodic && std::memcmp(a.vectors, b.vectors, sizeof(a.vectors)) == 0;
}

} // namespace

template <class Real>
NeighborList<Real>::NeighborList(const PairTopology& topology, double cutoff, double skin)
    : topology(&topology), cutoff(cutoff), skin(skin) {
    require(topology.numAtoms <= maxAtoms, "fewer particles", topology.numAtoms, "than 2^28");
    require(cutoff >= smallestCutoff && cutoff <= largestCutoff, "a cutoff", cutoff, "from 1e-6 to 1e6 nm");
    require(skin >= 0 && skin <= largestCutoff, "a skin", skin, "from 0 to 1e6 nm");
    pairKernels<Real>(); // refuses a bad DIFFPAIR_ISA
}

template <class Real>
template <class Source>
bool NeighborList<Real>::update(const Source* x, const Box& newBox, Executor& executor) {
    double newSkin = skin;
    if (!now.starts.empty() && areSame(newBox, now.box)) {
        // A little less than half the skin, so that rounding of the distances cannot hide a pair.
        const double limit = 0.4999 * skin, square = load(now, x, now.present, executor);
        if (square < limit * limit) {
            updates++;
            return false;
        }
        if (tuned && std::isfinite(square))
            newSkin = skinFor(std::sqrt(square));
    }
    try {
        build(x, newBox, newSkin, executor);
    } catch (...) { // x has perhaps been loaded: a copy of the positions before would cost every step
        now.present = now.origin;
        throw;
    }
    return true;
}

template <class Real>
template <class Source>
void NeighborList<Real>::rebuild(const Source* x, const Box& newBox, Executor& executor) {
    build(x, newBox, skin, executor);
}

/** Makes `next`, and only then puts it in the place of what is there. */
template <class Real>
template <class Source>
void NeighborList<Real>::build(const Source* x, const Box& newBox, double newSkin, Executor& executor) {
    const double reach = cutoff + newSkin;
    ClusterGrid grid(x, topology->numAtoms, newBox, executor, cutoff, reach);
    next.box = newBox;
    next.images = grid.fold.cell();
    next.order.swap(grid.order);
    next.offsets.swap(grid.offsets);
    next.origin.resize(4 * next.order.size());
    load(next, x, next.present, executor);
    next.origin = next.present;
    search(grid, reach, executor);
    commit(executor);
    skin = newSkin;
    rebuilds++;
    updates = 0;
}

/**
 * Least cost of a step that goes through all listed pairs and pays for its share of the next rebuild. With atoms that use up
 * `drift` of the skin s in a step, it is in proportion to (cutoff + s)^3 (1 + price drift / s).
 */
template <class Real> double NeighborList<Real>::skinFor(double moved) const {
    constexpr double price = 10;               // a rebuild against going through its list once; measured, AVX2 and AVX-512
    constexpr double least = 0.03, most = 0.3; // of the cutoff
    const double drift = price * 2 * moved / static_cast<double>(updates + 1);
    const double best = (std::sqrt(drift * drift + 3 * drift * cutoff) - drift) / 3;
    return std::clamp(best, least * cutoff, most * cutoff);
}

/** Fills `positions` and returns the largest squared displacement since the build; infinity if one is not a number. */
template <class Real>
template <class Source>
double NeighborList<Real>::load(const Build& list, const Source* x, std::vector<Real>& positions, Executor& executor) {
    constexpr Real infinity = std::numeric_limits<Real>::infinity();
    const int slots = static_cast<int>(list.order.size()), numBlocks = executor.numThreads();
    positions.resize(list.origin.size());
    const int* types = topology->numTypes > 1 ? topology->types.data() : nullptr;
    largest.assign(numBlocks, 0.0);
    executor.run(numBlocks, [&](int block) {
        Real most = 0;
        for (int slot = evenBlockStart(slots, numBlocks, block); slot < evenBlockStart(slots, numBlocks, block + 1); slot++) {
            Real* to = positions.data() + offsetOfSlot(slot);
            const Real* before = list.origin.data() + offsetOfSlot(slot);
            const int atom = list.order[slot];
            if (atom < 0) { // not a number is never within any distance
                to[0] = to[1] = to[2] = std::numeric_limits<Real>::quiet_NaN();
                to[3] = 0;
                continue;
            }
            const Source* p = x + 3 * static_cast<size_t>(atom);
            const double* offset = list.offsets.data() + 3 * static_cast<size_t>(slot);
            Real square = 0;
            for (int d = 0; d < 3; d++) {
                to[d] = static_cast<Real>(p[d] - offset[d]);
                const Real moved = to[d] - before[d];
                square += moved * moved;
            }
            to[3] = types ? Real(types[atom]) : Real(0);
            if (!(square <= most)) // also if it is not a number
                most = square < infinity ? square : infinity;
        }
        largest[block] = static_cast<double>(most);
    });
    return *std::max_element(largest.begin(), largest.end());
}

template <class Real> void NeighborList<Real>::search(const ClusterGrid& grid, double reach, Executor& executor) {
    const int slots = static_cast<int>(next.order.size()), clusters = slots / clusterSize;
    // In a triclinic box distances beyond maxCutoff() cannot be judged cheaply: keep such pairs.
    const bool judge = !next.box.periodic || !next.box.isTriclinic() || reach <= next.box.maxCutoff();
    const Real reachSquared = judge ? static_cast<Real>(reach * reach) : std::numeric_limits<Real>::infinity();
    // More blocks than threads even out rows of different length; the list does not depend on their number.
    const int numBlocks = executor.numThreads() == 1 ? 1 : 8 * executor.numThreads();
    next.starts.assign(slots + 1, 0);
    next.imageNeeds.assign(clusters, 0);
    blockRows.resize(numBlocks);
    executor.run(numBlocks, [&](int block) {
        ClusterSweep sweep(grid, reach);
        blockRows[block].clear();
        for (int c = evenBlockStart(clusters, numBlocks, block); c < evenBlockStart(clusters, numBlocks, block + 1); c++) {
            sweep.moveTo(c);
            next.imageNeeds[c] = grid.reachesOut(c, reach);
            searchCluster(sweep, c, reach, reachSquared, grid.fold, blockRows[block]);
        }
    });
    for (int i = 0; i < slots; i++)
        next.starts[i + 1] += next.starts[i];
    next.longest = 0;
    for (int c = 0; c < clusters; c++)
        next.longest =
            std::max(next.longest, static_cast<int>(next.starts[clusterSize * (c + 1)] - next.starts[clusterSize * c]));
}

/** Makes the rows of all blocks and `next` the list. Once there is memory for it, nothing can fail. */
template <class Real> void NeighborList<Real>::commit(Executor& executor) {
    const size_t size = static_cast<size_t>(next.starts.back()) + widestPack;
    if (partners.capacity() < size)
        partners.reserve(size + size / 8); // so that fluctuations soon ask for no more
    std::swap(now, next);
    partners.resize(size);
    std::fill(partners.end() - widestPack, partners.end(), 0);
    const int clusters = numSlots() / clusterSize, numBlocks = static_cast<int>(blockRows.size());
    executor.run(numBlocks, [&](int block) {
        const int64_t begin = now.starts[clusterSize * evenBlockStart(clusters, numBlocks, block)];
        std::copy(blockRows[block].begin(), blockRows[block].end(), partners.begin() + begin);
    });
}

/** Appends the rows of a cluster's atoms and writes their lengths to `starts`. */
template <class Real>
void NeighborList<Real>::searchCluster(ClusterSweep& sweep, int cluster, double reach, Real reachSquared, const Fold& fold,
                                       std::vector<int>& rows) {
    thread_local std::vector<int> found;
    const int count = sweep.candidates(), capacity = count + widestPack;
    if (found.size() < static_cast<size_t>(clusterSize) * capacity)
        found.resize(static_cast<size_t>(clusterSize) * capacity);
    int *ends[clusterSize], sizes[clusterSize];
    for (int l = 0; l < clusterSize; l++)
        ends[l] = found.data() + static_cast<size_t>(l) * capacity;
    pairKernels<Real>().search({next.present.data(), cluster, sweep.offsets(), count, reachSquared, LoopBox<Real>(fold.cell()),
                                next.imageNeeds[cluster] != 0},
                               ends, sizes);
    const Exclusions& exclusions = topology->exclusions;
    for (int l = 0; l < clusterSize; l++) {
        const int slot = clusterSize * cluster + l, atom = next.order[slot], own = offsetOfSlot(slot);
        const int *begin = ends[l], *end = begin + sizes[l];
        // Candidates start with the cluster itself: of its own atoms only the later ones count.
        while (begin < end && *begin <= own && slotAtOffset(*begin) / clusterSize == cluster)
            begin++;
        const size_t first = rows.size();
        rows.insert(rows.end(), begin, end);
        const auto removeIf = [&](const auto& condition) {
            rows.erase(
                std::remove_if(rows.begin() + first, rows.end(), [&](int offset) { return condition(slotAtOffset(offset)); }),
                rows.end());
        };
        if (fold.hidesDistances())
            removeIf([&](int other) { return !areWithin(fold, reach, slot, other); });
        if (atom >= 0 && !exclusions.empty() && exclusions.start[atom] < exclusions.start[atom + 1])
            removeIf([&](int other) { return exclusions.contains(atom, next.order[other]); });
        next.starts[slot + 1] = static_cast<int64_t>(rows.size() - first);
    }
}

/** Whether the atoms of two slots are neighbours not only where they were folded to. */
template <class Real> bool NeighborList<Real>::areWithin(const Fold& fold, double reach, int slot, int other) const {
    double difference[3];
    for (int d = 0; d < 3; d++) {
        const size_t i = 3 * static_cast<size_t>(slot) + d, j = 3 * static_cast<size_t>(other) + d;
        difference[d] = (next.offsets[i] - next.offsets[j]) +
                        (static_cast<double>(next.present[offsetOfSlot(slot) + d]) - next.present[offsetOfSlot(other) + d]);
    }
    return fold.areWithin(reach, difference);
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
