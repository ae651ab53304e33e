#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairList.h"
#include <cstdint>

namespace diffpair {

struct ClusterGrid;
class ClusterSweep;
class Fold;

/**
 * Half neighbour list (each pair once) with a skin. It never misses a pair within `cutoff`: update() rebuilds as soon as
 * twice the largest displacement since the last build exceeds the skin, or the box has changed. A list depends on the
 * positions it was built from and on nothing else.
 *
 * Atoms are sorted into clusters of four that are close in space. A slot is an atom's place in that order; some slots hold
 * no atom (see PairList). Positions are folded (see Fold).
 *
 * A call that throws leaves the list as it was: box, neighbours, skin, and the positions that it was built from.
 */
template <class Real> class NeighborList {
public:
    NeighborList() = default;
    /**
     * @param cutoff  pairs closer than this are never missed; at most Box::maxCutoff() in a periodic box
     * @throws std::invalid_argument if one of them is not a number that the loops can take
     */
    NeighborList(const PairTopology& topology, double cutoff, double skin);
    /**
     * Take over these positions, and rebuild the list if they ask for it.
     *
     * @param x  [3 * numAtoms], anywhere (need not be inside the box)
     * @return true if it was rebuilt
     * @throws std::domain_error if a position is not finite or farther away than maxCoordinate
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
    /** The pairs of the last update, at its positions; until the next update or the list's end. */
    PairList<Real> pairs() const {
        return {numSlots(),
                numSlots(),
                topology->numTypes,
                now.order.data(),
                now.present.data(),
                now.starts.data(),
                partners.data(),
                now.imageNeeds.data(),
                now.longest,
                now.images,
                true};
    }
    int64_t numRebuilds() const {
        return rebuilds;
    }

private:
    int numSlots() const {
        return static_cast<int>(now.order.size());
    }
    /** All that a list consists of but the neighbours themselves. */
    struct Build {
        Box box, images;
        std::vector<int> order;
        std::vector<double> offsets;       // [3 * numSlots]: taken off positions before they lose precision, see Fold
        std::vector<Real> present, origin; // positions, and those that it was built from
        std::vector<int64_t> starts;
        std::vector<char> imageNeeds;
        int longest = 0;
    };
    double skinFor(double moved) const;
    template <class Source> void build(const Source* x, const Box& newBox, double newSkin, Executor& executor);
    template <class Source> double load(const Build& list, const Source* x, std::vector<Real>& positions, Executor& executor);
    void search(const ClusterGrid& grid, double reach, Executor& executor);
    void searchCluster(ClusterSweep& sweep, int cluster, double reach, Real reachSquared, const Fold& fold,
                       std::vector<int>& rows);
    bool areWithin(const Fold& fold, double reach, int slot, int other) const;
    void commit(Executor& executor);
    const PairTopology* topology = nullptr;
    double cutoff = 0, skin = 0;
    Build now, next; // next: what is being made, or memory for it
    std::vector<int> partners;
    std::vector<double> largest;             // displacement, per block
    std::vector<std::vector<int>> blockRows; // per block of clusters, joined into `partners`
    int64_t rebuilds = 0, updates = 0;       // updates: since the last build
    bool tuned = false;
};

} // namespace diffpair
