#pragma once
#include "diffpair/Table.h"
#include <vector>

namespace diffpair {

/** Periodic box in OpenMM's reduced form (a along x, b in xy), rows a, b, c in nm. */
struct Box {
    double vectors[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    bool periodic = false;

    static Box none() {
        return Box();
    }
    /** @param rows  [9], a then b then c */
    static Box fromVectors(const double* rows);
    bool isTriclinic() const {
        return vectors[3] != 0 || vectors[6] != 0 || vectors[7] != 0;
    }
    double volume() const {
        return vectors[0] * vectors[4] * vectors[8];
    }
    /** Largest cutoff that the minimum-image convention allows: half the smallest diagonal element, as in OpenMM. */
    double maxCutoff() const;
};

/** Throws std::domain_error naming the first particle of x [3 * numAtoms] that is not finite or beyond maxCoordinate. */
template <class Source> void requireCoordinates(const Source* x, int numAtoms);

/** Excluded pairs in compressed rows: partners[start[i] .. start[i+1]) of atom i, sorted, both directions stored. */
struct Exclusions {
    std::vector<int> start, partners;
    Exclusions() = default;
    /** @param pairs  [2 * numPairs] atom indices, duplicates allowed */
    Exclusions(int numAtoms, const std::vector<int>& pairs);
    bool empty() const {
        return partners.empty();
    }
    bool contains(int i, int j) const;
};

/** What stays the same from frame to frame: who the atoms are, and which of them do not interact. */
struct PairTopology {
    int numAtoms = 0, numTypes = 1;
    std::vector<int> types; // [numAtoms], 0 .. numTypes - 1
    Exclusions exclusions;
    /** Throws std::invalid_argument naming the first particle whose type is out of range. */
    void validate() const;
};

} // namespace diffpair
