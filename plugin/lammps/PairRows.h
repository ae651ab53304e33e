#pragma once
#include "diffpair/PairList.h"
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

/**
 * A half neighbour list of LAMMPS as the core's loops take it. A slot is LAMMPS's index of an atom: first the local ones, which
 * have rows, then ghosts. The rows are copied when LAMMPS has built its list anew, positions at every step.
 *
 * Without Newton's third law between processes a pair with a ghost is in the lists of both its processes. It then has rows
 * of its own, so that its energy can be halved, and ghosts get no force.
 */
class PairRows {
public:
    /**
     * @param special  factor of the pairs of each kind of special_bonds, [4]
     * @param newton   whether a pair with a ghost is listed once
     */
    void copy(const LAMMPS_NS::NeighList& list, int numLocal, int numAll, const double* special, bool newton);
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
        std::vector<int64_t> start;
        std::vector<int> neighbors;
        int longest = 0;
        void clear(int numRows);
        void endRow(int row);
        void finish();
    };
    struct alignas(32) Four {
        double v[4];
    };
    PairList<double> viewOf(const Rows& rows, int numTypes) const;
    Rows main, halved;
    int numAll = 0;
    std::vector<Four> fours;
    std::vector<int> forceOn;   // [slots]: whom a force goes to, -1 for nobody
    std::vector<char> noImages; // [clusters] of 0: ghosts are images already
    std::vector<ScaledPair> scaled;
};

} // namespace diffpair::lammps
