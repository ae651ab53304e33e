#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairSystem.h"
#include "Fold.h"
#include <limits>
#include <vector>

namespace diffpair {

/**
 * Atoms sorted into clusters of four that are compact in space: columns along the third box vector, about as wide as a
 * cluster is long, each cut into fours from bottom to top. The columns of a periodic box are equally wide. Without a box they
 * hold equal numbers of atoms, so that neither empty space nor an atom far away costs anything.
 */
struct ClusterGrid {
    /**
     * @param x              [3 * numAtoms], any multiple of box vectors away; throws std::domain_error if one is not finite or
     *                       farther away than maxCoordinate
     * @param cutoff, reach  see Fold; infinite, as they are if not given, positions are only brought into the box
     */
    template <class Source>
    ClusterGrid(const Source* x, int numAtoms, const Box& box, Executor& executor,
                double cutoff = std::numeric_limits<double>::infinity(), double reach = std::numeric_limits<double>::infinity());

    std::vector<int> order;          // [4 * clusters] atom of each slot, -1 for none
    std::vector<double> offsets;     // [12 * clusters] taken off a position to fold it
    std::vector<int> columnStart;    // first cluster of each column, [columns + 1]
    std::vector<double> bottom, top; // [clusters] of the cluster's atoms along c, in units of width[2]
    std::vector<double> margin;      // [clusters] distance of its atoms from the nearest face of the fold's cell
    Box box;
    Fold fold;
    double width[3]; // perpendicular widths of the box; 1 nm if there is none
    int columns[2];
    std::vector<double> edges[2]; // of the columns, in nm, [columns + 1]
    double slack = 1e-6;          // of heights: no rounding can hide a pair

    /** True if a sphere of this radius around an atom of the cluster may leave the fold's cell, so that it meets images. */
    bool reachesOut(int cluster, double reach) const {
        return margin[cluster] < reach;
    }

private:
    template <class Source> void placeColumns(const Source* x, int numAtoms, double cutoff, double reach);
    void placeEqualColumns(int numAtoms);
    template <class Source> void sortIntoColumns(const Source* x, int numAtoms, Executor& executor);
    int columnOf(const double* place) const;
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
    double gapBetween(int direction, int column, int other) const;
    double heightOf(const std::vector<double>& heights, int ofColumn, int k) const;
    void advance(Window& window) const;
    const ClusterGrid& grid;
    double reach;
    int cluster = -1, column = -1;
    std::vector<Window> windows;
    std::vector<int> found;
};

} // namespace diffpair
