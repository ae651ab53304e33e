#pragma once
#include "diffpair/PairSystem.h"
#include <cstdint>

namespace diffpair {

/** Atoms per cluster: what is searched for neighbours together. */
constexpr int clusterSize = 4;

/** Entries that a loop may read, or write, behind the last one of an array: it takes so many pairs at once. */
constexpr int widestPack = 16;

/** Atoms are stored as fours, in the order of their slots: x, y, z and type. */
constexpr int offsetOfSlot(int slot) {
    return 4 * slot;
}
constexpr int slotAtOffset(int offset) {
    return offset / 4;
}

/**
 * A view of a half list of pairs as rows, one per slot: each pair is in the row of one of its two atoms. It owns nothing and
 * holds until its owner changes. `NeighborList::pairs()` gives that of the core's own list; whoever has a list of another
 * program fills one in, and all pair loops run on it.
 *
 * A slot is an atom's place in memory, and some slots hold no atom. The slots with rows come first. Those behind them, such
 * as the copies of atoms that other processes own, are partners only. Partners are given by their offset into
 * arrays of fours, 4 times their slot.
 *
 *     for (int slot = 0; slot < pairs.numRows; slot++)
 *         for (const int* partner = pairs.rowBegin(slot); partner < pairs.rowEnd(slot); partner++)
 *             use(pairs.atomOfSlot[slot], pairs.atomOfSlot[slotAtOffset(*partner)]);
 */
template <class Real> struct PairList {
    int numRows = 0;                 // a multiple of clusterSize
    int numSlots = 0;                // numRows or more
    int numTypes = 1;                // types in `positions` run from 0 to numTypes - 1
    const int* atomOfSlot = nullptr; // [numSlots], -1 for none
    /**
     * [numSlots][4], aligned to 4 numbers: x, y, z and type; not numbers where a slot with a row has no atom. Of a listed pair
     * their difference is the true one, or its nearest image in imageBox is, where needsImages says so.
     */
    const Real* positions = nullptr;
    const int64_t* start = nullptr;    // [numRows + 1]: row s is neighbors[start[s] .. start[s + 1])
    const int* neighbors = nullptr;    // [start[numRows] + widestPack], each a valid offset
    const char* needsImages = nullptr; // [numRows / clusterSize]: 0 if no pair of a cluster's rows needs another image
    int longestCluster = 0;            // largest number of entries of a cluster's rows together
    Box imageBox;                      // the box whose images positions are; not necessarily that of the system
    bool ascending = false;            // every partner has a later slot than its row: threads then sum up less

    int64_t numPairs() const {
        return numRows > 0 ? start[numRows] : 0;
    }
    /** The partners of the atom in a slot, as offsets. */
    const int* rowBegin(int slot) const {
        return neighbors + start[slot];
    }
    const int* rowEnd(int slot) const {
        return neighbors + start[slot + 1];
    }
};

} // namespace diffpair
