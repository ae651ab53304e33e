#pragma once
#include "ChainSteps.h"
#include "Noise.h"
#include "Team.h"
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace diffpair::cuda {

/** Per atom: positions or velocities of one time from an array of states, whose replicas are `stride` numbers apart. */
template <class Real> struct LoadPositions {
    const Real* from; // [N, 3] of the first replica
    size_t stride;
    int numAtoms;
    const Real* types; // [N]
    Four<Real>* to;    // [R, N]

    DIFFPAIR_HD void operator()(size_t atom) const {
        const size_t i = atom % numAtoms;
        const Real* p = from + atom / numAtoms * stride + 3 * i;
        to[atom] = {p[0], p[1], p[2], types[i]};
    }
};
template <class Real> struct LoadVectors {
    const Real* from;
    size_t stride;
    int numAtoms;
    Real* to; // [R, N, 3]

    DIFFPAIR_HD void operator()(size_t atom) const {
        const Real* p = from + atom / numAtoms * stride + 3 * (atom % numAtoms);
        for (int d = 0; d < 3; d++)
            to[3 * atom + d] = p[d];
    }
};
template <class Real> struct StorePositions {
    const Four<Real>* from; // [R, N]
    Real* to;
    size_t stride;
    int numAtoms;
    // Until there is a list: the positions that it will be built from.
    const int* known = nullptr; // [R]
    const Four<Real>* ifUnknown = nullptr;

    DIFFPAIR_HD void operator()(size_t atom) const {
        const Four<Real> x = known && !known[atom / numAtoms] ? ifUnknown[atom] : from[atom];
        Real* p = to + atom / numAtoms * stride + 3 * (atom % numAtoms);
        p[0] = x.x, p[1] = x.y, p[2] = x.z;
    }
};
template <class Real> struct StoreVectors {
    const Real* from; // [R, N, 3]
    Real* to;
    size_t stride;
    int numAtoms;

    DIFFPAIR_HD void operator()(size_t atom) const {
        Real* p = to + atom / numAtoms * stride + 3 * (atom % numAtoms);
        for (int d = 0; d < 3; d++)
            p[d] = from[3 * atom + d];
    }
};

/** All that the steps of the integrators work on. */
template <class Real> struct StateView {
    int numAtoms;
    const double* inverseMass; // [N]
    const Real *kick, *drift;  // [N]: timestep over mass; the time that positions follow a velocity, 0 for a held atom
    Four<Real>* x;             // [R, N]
    Real* v;                   // [R, N, 3]

    DIFFPAIR_HD void driftAtom(size_t atom) const {
        const Real time = drift[atom % numAtoms];
        x[atom].x += time * v[3 * atom];
        x[atom].y += time * v[3 * atom + 1];
        x[atom].z += time * v[3 * atom + 2];
    }
};

/** The heat bath of a replica. */
template <class Real> struct Bath {
    double kT, rate;
    Real keep;          // Langevin: a = exp(-gamma dt)
    double fluctuation; // Langevin: 1 - a^2

    /** Of the noise of an atom's velocity. */
    DIFFPAIR_HD Real amplitude(double inverseMass) const {
        return static_cast<Real>(std::sqrt(kT * inverseMass * fluctuation));
    }
};

/** Per atom, after the kick. */
template <class Real> struct MoveVerlet {
    StateView<Real> state;
    DIFFPAIR_HD void operator()(size_t atom) const {
        state.driftAtom(atom);
    }
};

/** Noise of an atom in a step. */
template <class Real> DIFFPAIR_HD void atomNoise(uint64_t seed, int replica, int step, int atom, Real (&noise)[3]) {
    uint32_t words[4];
    noiseWords(seed, replica, step, atom, words);
    wordsToNormal(words[0], words[1], words[2], words[3], noise[0], noise[1], noise[2]);
}

template <class Real> struct MoveLangevin {
    StateView<Real> state;
    const Bath<Real>* baths; // [R]
    uint64_t seed;
    int step;

    DIFFPAIR_HD void operator()(size_t atom) const {
        const int replica = static_cast<int>(atom / state.numAtoms), i = static_cast<int>(atom % state.numAtoms);
        const Bath<Real>& bath = baths[replica];
        state.driftAtom(atom);
        if (state.inverseMass[i] > 0) {
            Real noise[3];
            atomNoise(seed, replica, step, i, noise);
            const Real amplitude = bath.amplitude(state.inverseMass[i]);
            for (int d = 0; d < 3; d++)
                state.v[3 * atom + d] = bath.keep * state.v[3 * atom + d] + amplitude * noise[d];
        }
        state.driftAtom(atom);
    }
};

/** The chains of all replicas on the device. */
struct ChainsView {
    const ChainSteps* steps; // [R]
    double *V, *gradV;       // [R, length]
    double* scratch;         // [R, scratchSize]
};

template <class Real> DIFFPAIR_HD double dotOfAtom(const Real* a, const Real* b, size_t atom) {
    double sum = 0;
    for (int d = 0; d < 3; d++)
        sum += static_cast<double>(a[3 * atom + d]) * b[3 * atom + d];
    return sum;
}
/** 0 for a held atom. */
template <class Real> DIFFPAIR_HD Real massOf(double inverseMass) {
    return inverseMass > 0 ? static_cast<Real>(1 / inverseMass) : Real(0);
}

/** Per replica, by a team. Shared memory: a double for each thread. */
template <class Real> struct MoveNoseHoover {
    StateView<Real> state;
    ChainsView chains;
    double* record; // [length + 1] of the first replica; null where none is kept
    size_t recordStride;

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int replica, char* shared) const {
        double* scratch = reinterpret_cast<double*>(shared);
        const size_t first = static_cast<size_t>(replica) * state.numAtoms;
        double K = 0;
        for (int i = team.rank(); i < state.numAtoms; i += team.size()) {
            state.driftAtom(first + i);
            K += massOf<Real>(state.inverseMass[i]) * dotOfAtom(state.v, state.v, first + i);
        }
        K = sumOverTeam(team, K, scratch);
        if (team.rank() == 0) {
            const ChainSteps& chain = chains.steps[replica];
            double* V = chains.V + static_cast<size_t>(replica) * chain.length;
            if (record != nullptr) {
                for (int j = 0; j < chain.length; j++)
                    record[replica * recordStride + j] = V[j];
                record[replica * recordStride + chain.length] = K;
            }
            scratch[0] = chain.propagate(V, K, chains.scratch + static_cast<size_t>(replica) * chain.scratchSize());
        }
        team.sync();
        const Real scale = static_cast<Real>(scratch[0]);
        for (int i = team.rank(); i < state.numAtoms; i += team.size()) {
            if (state.inverseMass[i] > 0)
                for (int d = 0; d < 3; d++)
                    state.v[3 * (first + i) + d] *= scale;
            state.driftAtom(first + i);
        }
    }
};

/** Per number of the chains' velocities: back to where they were when this record was written. */
struct RestoreChains {
    ChainsView chains;
    int length;
    const double* record;
    size_t recordStride;
    DIFFPAIR_HD void operator()(size_t element) const {
        chains.V[element] = record[element / length * recordStride + element % length];
    }
};

} // namespace diffpair::cuda
