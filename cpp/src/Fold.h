#pragma once
#include "diffpair/PairSystem.h"
#include "MinimumImage.h"

namespace diffpair {

/** Fractional coordinates of p in a lower-triangular cell, rows a, b, c. */
inline void toFractional(const double* cell, const double* p, double* s) {
    s[2] = p[2] / cell[8];
    s[1] = (p[1] - s[2] * cell[7]) / cell[4];
    s[0] = (p[0] - s[1] * cell[3] - s[2] * cell[6]) / cell[0];
}

/** Distances between the opposite faces of a lower-triangular cell: its volume over the areas of the faces. */
void perpendicularWidths(const double* cell, double* width);

/**
 * Brings positions near the origin before they become Reals, however large the system is: single precision knows a place to
 * 6e-8 of its distance from there. They are folded into a cell as into a periodic box. That is the box itself; a whole
 * fraction of it where it is wide; and without periodicity a cell of its own if the atoms are spread widely, else none. The
 * nearest image in the cell of a difference is the true difference for all pairs within reach. But atoms far from each
 * other may come to lie side by side: see areWithin().
 */
class Fold {
public:
    Fold() = default;
    /**
     * @param cutoff, reach      the table's cutoff; distance up to which pairs will be listed
     * @param low, high, middle  [3] bounds of the atoms, and a place where they are dense; read only without periodicity
     */
    Fold(const Box& box, double cutoff, double reach, const double* low, const double* high, const double* middle);

    /** Whose images the folded positions have. */
    const Box& cell() const {
        return images;
    }
    /** False if the cell is the box, or if there is neither: then folded positions are as far apart as true ones. */
    bool hidesDistances() const {
        return hides;
    }
    /**
     * @param offset  [3], overwritten: what has to be taken off the position p
     * @param place   [3], overwritten: fractional coordinates in the cell
     * @return distance from the cell's nearest face; infinite if there is none
     */
    double fold(const double* p, double* offset, double* place) const;
    /** Whether a true difference, replaced by its nearest image in the true box, is within reach. */
    bool areWithin(double reach, const double* difference) const;

private:
    Box box, images;
    LoopBox<double> trueBox{Box::none()};
    double origin[3] = {0, 0, 0}, center[3] = {0, 0, 0}; // of the cell; its corner and its middle, relative to the corner
    double width[3] = {0, 0, 0};
    bool hides = false;
};

} // namespace diffpair
