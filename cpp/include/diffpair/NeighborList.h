#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairSystem.h"

namespace diffpair {

struct ClusterGrid;
class ClusterSweep;

/** Atoms per cluster: what is searched for neighbours together. */
constexpr int clusterSize = 4;

/** Atoms are stored as fours, in the order of their slots: x, y, z and type. */
constexpr int offsetOfSlot(int slot) {
    return 4 * slot;
}
constexpr int slotAtOffset(int offset) {
    return offset / 4;
}

/**
 * Half neighbour list (each pair once) with a skin. It never misses a pair within `cutoff`: update() rebuilds as soon as
 * twice the largest displacement since the last build exceeds the skin, or the box has changed. A list depends on the
 * positions it was built from and on nothing else.
 *
 * Atoms are sorted into clusters of four that are close in space. A slot is an atom's place in that order; some slots hold
 * no atom. Each slot has four numbers in memory: x, y, z and type of its atom. Neighbours are given by their offset into
 * such arrays, 4 times their slot.
 */
template <class Real> class NeighborList {
public:
    NeighborList() = default;
    /** @param cutoff  pairs closer than this are never missed; at most Box::maxCutoff() in a periodic box */
    NeighborList(const PairTopology& topology, double cutoff, double skin);
    /**
     * Take over these positions, and rebuild the list if they ask for it.
     *
     * @param x  [3 * numAtoms], anywhere (need not be inside the box)
     * @return true if it was rebuilt
     * @throws std::domain_error if a position is not finite
     */
    template <class Source> bool update(const Source* x, const Box& box, Executor& executor);
    template <class Source> void rebuild(const Source* x, const Box& box, Executor& executor);
    /**
     * From now on let update() choose the skin: a wide one lists more pairs, a narrow one asks for more rebuilds. It goes by
     * counts, of updates and of how far atoms moved in them, never by clocks, so that runs repeat.
     */
    void tuneSkin() {
        tuned = true;
    }
    double currentSkin() const {
        return skin;
    }

    int numAtoms() const {
        return topology->numAtoms;
    }
    int numSlots() const {
        return static_cast<int>(order.size());
    }
    /** Atom in each slot, -1 for none; [numSlots] */
    const std::vector<int>& atomOfSlot() const {
        return order;
    }
    /** Present positions, [numSlots][4]: x, y, z and type; not numbers where there is no atom */
    const Real* positions() const {
        return present.data();
    }
    /** Row of slot s: neighbors()[start()[s] .. start()[s + 1]); [numSlots + 1] */
    const int* start() const {
        return starts.data();
    }
    const int* neighbors() const {
        return partners.data();
    }
    /** Per cluster, 0 if no pair of its rows needs another image than the one that positions() holds. */
    const char* needsImages() const {
        return imageNeeds.data();
    }
    /** Largest number of entries of a cluster's rows together */
    int longestCluster() const {
        return longest;
    }
    long numPairs() const {
        return starts.empty() ? 0 : starts.back();
    }
    long numRebuilds() const {
        return rebuilds;
    }
    const Box& currentBox() const {
        return box;
    }
    const PairTopology& getTopology() const {
        return *topology;
    }

private:
    void chooseSkin(double moved);
    template <class Source> double load(const Source* x, Executor& executor);
    void search(const ClusterGrid& grid, Executor& executor);
    void searchCluster(ClusterSweep& sweep, int cluster, Real reachSquared, std::vector<int>& rows);
    const PairTopology* topology = nullptr;
    double cutoff = 0, skin = 0;
    Box box;
    std::vector<int> order;
    std::vector<double> offsets; // [3 * numSlots]: taken off positions before they lose precision, see ClusterGrid
    std::vector<Real> present, builtAt;
    std::vector<int> starts, partners;
    std::vector<char> imageNeeds;
    std::vector<double> largest; // displacement, per block
    int longest = 0;
    std::vector<std::vector<int>> blockRows; // per block of clusters, joined into `partners`
    long rebuilds = 0, updates = 0;          // updates: since the last build
    bool tuned = false;
};

} // namespace diffpair
