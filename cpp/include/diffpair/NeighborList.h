#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairSystem.h"

namespace diffpair {

/**
 * Half neighbour list (each pair once) with a skin. It never misses a pair within `cutoff`: update() rebuilds as soon
 * as twice the largest displacement since the last build exceeds the skin, or the box has changed.
 * Rows are in atom order and sorted, so a list depends on the positions it was built from and on nothing else.
 */
template <class Real> class NeighborList {
public:
    NeighborList() = default;
    /** @param cutoff  pairs closer than this are never missed; at most Box::maxCutoff() in a periodic box */
    NeighborList(const PairTopology& topology, double cutoff, double skin);
    /**
     * Bring the list up to date for these positions.
     *
     * @param x  [3 * numAtoms], anywhere (need not be inside the box)
     * @return true if it was rebuilt
     */
    bool update(const Real* x, const Box& box, Executor& executor);
    void rebuild(const Real* x, const Box& box, Executor& executor);

    int numAtoms() const {
        return topology->numAtoms;
    }
    const int* start() const {
        return starts.data();
    } // [numAtoms + 1]
    const int* neighbors() const {
        return partners.data();
    } // [start[numAtoms]]
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
    bool needsRebuild(const Real* x, const Box& newBox) const;
    void listCells(const Real* x, Executor& executor, double reach);
    void listAllPairs(Executor& executor);
    void joinRows(Executor& executor);
    const PairTopology* topology = nullptr;
    double cutoff = 0, skin = 0;
    Box box;
    std::vector<int> starts, partners;
    std::vector<std::vector<int>> blockRows; // per block of rows, joined into `partners`
    std::vector<Real> builtAt;
    long rebuilds = 0;
};

} // namespace diffpair
