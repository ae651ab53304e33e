#pragma once
#include "PairTerms.h"

namespace diffpair::cuda {

/** Moments 1, t, t^2, t^3 of every pair: the sums over pairs of B_k(r). */
template <class Real> struct DistanceTerms {
    static constexpr int first = 0, count = 4;
    DIFFPAIR_HD void operator()(size_t, size_t, const Pair<Real>& pair, Real (&terms)[count]) const {
        terms[0] = 1, terms[1] = pair.t, terms[2] = pair.t * pair.t, terms[3] = pair.t * pair.t * pair.t;
    }
};

/** Moments of (dF/dc)^T w = -sum U'(r) e.b; that of t^0 is zero. */
template <class Real> struct AdjointTerms {
    static constexpr int first = 1, count = 3;
    const Four<Real>* w; // [R, N]
    Real inverseSpacing;
    DIFFPAIR_HD void operator()(size_t atom, size_t partner, const Pair<Real>& pair, Real (&terms)[count]) const {
        const Real along = alongPair(pair, w[atom], w[partner]) * -inverseSpacing;
        terms[0] = along, terms[1] = 2 * along * pair.t, terms[2] = 3 * along * pair.t * pair.t;
    }
};

/**
 * Adds to moments, by teams that share out each replica's atoms. Every thread has sums of its own in shared memory, so that
 * nothing is added atomically and the bits repeat; where the pieces are too many for that, windows of them are taken one
 * after the other. Shared memory: windowSize * Terms::count Reals for each thread.
 */
template <class Real, class Terms> struct AddMoments {
    PairsView<Real> pairs;
    Terms terms;
    int teamsPerReplica, atomsPerTeam, window, windowSize, numPieces; // first piece of the window; pieces of all pairs of types
    double* sums;                                                     // [R * teamsPerReplica, numPieces, 4], added to

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int number, char* shared) const {
        const int rank = team.rank(), size = team.size(), numAtoms = pairs.list.numAtoms, entries = windowSize * Terms::count;
        Real* columns = reinterpret_cast<Real*>(shared); // [entries, size]
        for (int k = 0; k < entries; k++)
            columns[k * size + rank] = 0;
        const size_t first = static_cast<size_t>(number / teamsPerReplica) * numAtoms;
        const int begin = number % teamsPerReplica * atomsPerTeam;
        const int end = begin + atomsPerTeam < numAtoms ? begin + atomsPerTeam : numAtoms;
        for (int i = begin + rank; i < end; i += size)
            pairs.template overPairs<true>(first + i, [&](size_t partner, const Pair<Real>& pair) {
                const int piece = pair.piece - window;
                if (piece < 0 || piece >= windowSize)
                    return;
                Real values[Terms::count];
                terms(first + i, partner, pair, values);
                for (int n = 0; n < Terms::count; n++)
                    columns[(piece * Terms::count + n) * size + rank] += values[n];
            });
        team.sync();
        for (int k = rank; k < entries; k += size) {
            double sum = 0;
            for (int column = 0; column < size; column++) // each thread begins elsewhere: another bank of the memory
                sum += columns[k * size + (column + rank) % size];
            const int piece = window + k / Terms::count;
            if (piece < numPieces)
                sums[(static_cast<size_t>(number) * numPieces + piece) * 4 + Terms::first + k % Terms::count] += sum;
        }
    }
};

/** Per moment of a replica: the sum over its teams, in their order. */
struct SumOverTeams {
    const double* sums; // [R, teamsPerReplica, numMoments]
    int teamsPerReplica, numMoments;
    double* result; // [R, numMoments]

    DIFFPAIR_HD void operator()(size_t element) const {
        const size_t replica = element / numMoments, moment = element % numMoments;
        double sum = 0;
        for (int team = 0; team < teamsPerReplica; team++)
            sum += sums[(replica * teamsPerReplica + team) * numMoments + moment];
        result[element] = sum;
    }
};

/** Per replica, by a team: the sum over its atoms. Shared memory: a double for each thread. */
struct SumOverAtoms {
    const double* values; // [R, N]
    int numAtoms;
    double* result; // [R]

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int replica, char* shared) const {
        double sum = 0;
        for (int i = team.rank(); i < numAtoms; i += team.size())
            sum += values[static_cast<size_t>(replica) * numAtoms + i];
        sum = sumOverTeam(team, sum, reinterpret_cast<double*>(shared));
        if (team.rank() == 0)
            result[replica] = sum;
    }
};

} // namespace diffpair::cuda
