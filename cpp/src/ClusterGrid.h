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

    std::vector<int> order;      // [4 * clusters] atom of each slot, -1 for none
    std::vector<double> offsets; // [12 * clusters] taken off a position to bring it into the box, or near the origin

    /** Candidate clusters j >= i whose bounds come within `reach` of cluster i's, in ascending order, added to `out`. */
    void candidates(int i, double reach, std::vector<int>& out) const;

private:
    template <class Source> void sortIntoColumns(const Source* x, int numAtoms, Executor& executor);
    template <bool Triclinic> void separations(int i, int begin, int end, float* square) const;
    void columnsAround(int i, double reach, std::vector<int>& out) const;
    Box box;
    double cell[9], low[3], width[3]; // box or bounding box, its corner, its perpendicular widths
    int columns[2];
    // Of each cluster: centre, half edges of the bounding box and radius of the bounding sphere in nm, and how far its atoms
    // reach from the centre in fractions of the box vectors.
    std::vector<float> centres[3], halves[3], radii;
    std::vector<double> extents[3];
    double largestExtent[3] = {0, 0, 0};
    std::vector<int> columnStart;   // first cluster of each column, [columns + 1]
    std::vector<double> fractional; // [2 * clusters] of the centres, along a and b
    std::vector<double> heights;    // [clusters] along c
};

} // namespace diffpair
