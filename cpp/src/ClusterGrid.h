#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairSystem.h"
#include <vector>

namespace diffpair {

/**
 * Atoms sorted into clusters of four that are compact in space: columns along the third box vector, about as wide as a
 * cluster is long, each cut into fours from bottom to top.
 */
struct ClusterGrid {
    /** @param x  [3 * numAtoms], any multiple of box vectors away; throws std::domain_error if one is not finite */
    template <class Source> ClusterGrid(const Source* x, int numAtoms, const Box& box, Executor& executor);

    std::vector<int> order;          // [4 * clusters] atom of each slot, -1 for none
    std::vector<double> offsets;     // [12 * clusters] taken off a position to bring it into the box, or near the origin
    std::vector<int> columnStart;    // first cluster of each column, [columns + 1]
    std::vector<double> bottom, top; // [clusters] of the cluster's atoms along c, in fractions of the box
    Box box;
    double cell[9], low[3], width[3]; // box or bounding box, its corner, its perpendicular widths
    int columns[2];

    /** True if a sphere of this radius around an atom of the cluster may leave the box, so that it meets images. */
    bool reachesOut(int cluster, int column, double reach) const;

private:
    template <class Source> void sortIntoColumns(const Source* x, int numAtoms, Executor& executor);
};

/** Walks through the clusters in ascending order and tells of each which others may hold atoms within reach. */
class ClusterSweep {
public:
    ClusterSweep(const ClusterGrid& grid, double reach) : grid(grid), reach(reach) {
    }
    /** Go on to this cluster, the last one's successor or any later one; returns its column. */
    int moveTo(int cluster);
    /** Collects the cluster's own atoms, then those of all later clusters that may be within reach; returns how many. */
    int candidates();
    /** Their offsets, with a pack's room behind them. */
    const int* offsets() const {
        return found.data();
    }

private:
    /** The clusters [low, high) of a column, counted on through its periodic images: below 0 and beyond its size. */
    struct Window {
        int column, low, high;
        double range;              // how far apart along c atoms within reach can be
        double lowTop, highBottom; // heights that decide whether to go on
    };
    void startColumn();
    double heightOf(const std::vector<double>& heights, int ofColumn, int k) const;
    void advance(Window& window) const;
    const ClusterGrid& grid;
    double reach;
    int cluster = -1, column = -1;
    std::vector<Window> windows;
    std::vector<int> found;
};

} // namespace diffpair
