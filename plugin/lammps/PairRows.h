#pragma once
#include "diffpair/NeighborList.h"
#include "lmptype.h"
#include <vector>

namespace LAMMPS_NS {
class NeighList;
}

namespace diffpair::lammps {

/** One of the few listed pairs whose force special_bonds scales by a number that is neither 0 nor 1. */
struct ScaledPair {
    int i, j;
    double factor;
};

/** A process's atoms as LAMMPS holds them: the local ones, then ghosts, which are copies of others, images included. */
struct Atoms {
    int numLocal, numAll;
    const double* x;               // [numAll][3]
    const LAMMPS_NS::tagint* tags; // [numAll]
    bool newton;                   // whether a pair with a ghost is one process's alone
};

/**
 * The pairs of a process as the core's loops take them: rows that are made when LAMMPS rebuilds its neighbour lists, and
 * positions at every step. A slot is LAMMPS's index of an atom, and local atoms have rows. The core searches pairs several times
 * faster than LAMMPS; LAMMPS's own list knows of bonds, exclusions and hybrid styles.
 *
 * Without Newton's third law between processes a pair with a ghost is in the lists of both its processes. It then has rows
 * of its own, so that its energy can be halved, and ghosts get no force.
 */
class PairRows {
public:
    PairRows() = default;
    PairRows(const PairRows&) = delete; // the list knows where the topology is
    /** @throws std::invalid_argument if cutoff or skin is not a number that the core can take */
    void setReach(double cutoff, double skin);
    /** Rows by a search of the core's. Throws std::domain_error if a position is not finite. */
    void search(const Atoms& atoms);
    /**
     * Rows by a half list of LAMMPS's.
     *
     * @param special  factor of the pairs of each kind of special_bonds, [4]
     */
    void copy(const LAMMPS_NS::NeighList& list, const Atoms& atoms, const double* special);
    /**
     * @param x      [numAll][3]
     * @param types  [numAll], from 1
     * @param map    number of each of LAMMPS's types in the table, from index 1; below 0 for none
     */
    void load(const double* x, const int* types, const int* map);

    /** All pairs, or those of two local atoms. */
    PairList<double> pairs(int numTypes) const {
        return viewOf(main, numTypes);
    }
    /** The pairs with a ghost where these are listed twice; otherwise there are none. */
    PairList<double> pairsWithGhosts(int numTypes) const {
        return viewOf(halved, numTypes);
    }
    const std::vector<ScaledPair>& scaledPairs() const {
        return scaled;
    }
    /** Bytes. */
    double memoryUsage() const;

private:
    struct Rows {
        std::vector<int64_t> start, next; // next: where a row's next entry goes
        std::vector<int> neighbors;
        int longest = 0;
        void layOut();
        void add(int row, int partner) {
            neighbors[next[row]++] = offsetOfSlot(partner);
        }
    };
    struct alignas(32) Four {
        double v[4];
    };
    void begin(const Atoms& atoms);
    PairList<double> viewOf(const Rows& rows, int numTypes) const;
    PairTopology topology; // of the search: no types, no exclusions
    NeighborList<double> list;
    SerialExecutor executor;
    int numAll = 0;
    Rows main, halved;
    std::vector<Four> fours;
    std::vector<int> forceOn;   // [slots]: whom a force goes to, -1 for nobody
    std::vector<char> noImages; // [clusters] of 0: ghosts are images already
    std::vector<ScaledPair> scaled;
    std::vector<char> ours; // of the pairs with a ghost that the search found
};

} // namespace diffpair::lammps
