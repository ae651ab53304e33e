#pragma once
#include "Steps.h"

namespace diffpair::cuda {

/** Gradients with respect to the state after a step, replaced by those before it; see Replica::stepBack. */
template <class Real> struct AdjointView {
    StateView<Real> state; // x: the positions before the step; v is not looked at
    Real *lx, *lv;         // [R, N, 3]
    Four<Real>* w;         // [R, N]

    /** lv += drift lx */
    DIFFPAIR_HD void driftAtom(size_t atom) const {
        for (int d = 0; d < 3; d++)
            lv[3 * atom + d] += state.drift[atom % state.numAtoms] * lx[3 * atom + d];
    }
};

/** Per atom: takes in the gradient of the frame after the step, if it is one, and goes back over the last drift. */
template <class Real> struct BeforeTheta {
    AdjointView<Real> adjoint;
    const Real *gradX, *gradV; // of the first replica; null if the step leaves no frame
    size_t stride;

    DIFFPAIR_HD void operator()(size_t atom) const {
        const size_t numAtoms = adjoint.state.numAtoms, from = atom / numAtoms * stride + 3 * (atom % numAtoms);
        if (gradX != nullptr)
            for (int d = 0; d < 3; d++) {
                adjoint.lx[3 * atom + d] += gradX[from + d];
                adjoint.lv[3 * atom + d] += gradV[from + d];
            }
        adjoint.driftAtom(atom);
    }
};

/** Per atom: the first drift of a step with a bath, and the direction in which the force acts on the loss. */
template <class Real> struct AfterTheta {
    AdjointView<Real> adjoint;
    bool hasBath;

    DIFFPAIR_HD void operator()(size_t atom) const {
        if (hasBath)
            adjoint.driftAtom(atom);
        const Real kick = adjoint.state.kick[atom % adjoint.state.numAtoms];
        const Real* lv = adjoint.lv + 3 * atom;
        adjoint.w[atom] = {kick * lv[0], kick * lv[1], kick * lv[2], Real(0)};
    }
};

/** Theta^T of LangevinMiddle per replica, by a team; see Langevin.cpp. Shared memory: a double for each thread. */
template <class Real> struct BackLangevin {
    AdjointView<Real> adjoint;
    const Bath<Real>* baths; // [R]
    uint64_t seed;
    int step;
    double timestep;
    const Real* v; // after the step, of the first replica
    size_t stride;
    double* gradBath; // [R, 2]

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int replica, char* shared) const {
        double *scratch = reinterpret_cast<double*>(shared), alongNoise = 0, alongVelocity = 0;
        const StateView<Real>& state = adjoint.state;
        const Bath<Real> bath = baths[replica];
        for (int i = team.rank(); i < state.numAtoms; i += team.size()) {
            if (!(state.inverseMass[i] > 0)) // held
                continue;
            Real* p = adjoint.lv + 3 * (static_cast<size_t>(replica) * state.numAtoms + i);
            const Real* after = v + replica * stride + 3 * static_cast<size_t>(i);
            Real noise[3];
            atomNoise(seed, replica, step, i, noise);
            const Real amplitude = bath.amplitude(state.inverseMass[i]);
            for (int d = 0; d < 3; d++) {
                alongNoise += p[d] * static_cast<double>(amplitude * noise[d]);
                alongVelocity += p[d] * static_cast<double>(after[d]);
                p[d] *= bath.keep;
            }
        }
        alongNoise = sumOverTeam(team, alongNoise, scratch);
        alongVelocity = sumOverTeam(team, alongVelocity, scratch);
        if (team.rank() == 0) {
            gradBath[2 * replica] += alongNoise / (2 * bath.kT);
            gradBath[2 * replica + 1] += timestep * (alongNoise / bath.fluctuation - alongVelocity);
        }
    }
};

/** Theta^T of NoseHoover per replica, by a team; see NoseHoover.cpp. Shared memory: a double for each thread, two at least. */
template <class Real> struct BackNoseHoover {
    AdjointView<Real> adjoint;
    ChainsView chains;
    const double* record; // of the first replica
    size_t recordStride;
    const Real* v; // after the step, of the first replica
    size_t stride;
    double* gradBath; // [R, 2]

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int replica, char* shared) const {
        double *scratch = reinterpret_cast<double*>(shared), along = 0;
        const StateView<Real>& state = adjoint.state;
        const Real* after = v + replica * stride;
        Real* p = adjoint.lv + 3 * static_cast<size_t>(replica) * state.numAtoms;
        for (int i = team.rank(); i < state.numAtoms; i += team.size())
            if (state.inverseMass[i] > 0)
                along += dotOfAtom(p, after, i);
        along = sumOverTeam(team, along, scratch);
        if (team.rank() == 0) {
            const ChainSteps& chain = chains.steps[replica];
            const double *own = record + replica * recordStride, K = own[chain.length];
            const size_t first = static_cast<size_t>(replica) * chain.length;
            double *V = chains.V + first, *work = chains.scratch + static_cast<size_t>(replica) * chain.scratchSize();
            for (int j = 0; j < chain.length; j++)
                V[j] = own[j];
            const double scale = chain.propagate(V, K, work);
            double gradK;
            chain.propagateAdjoint(own, K, along / scale, chains.gradV + first, gradK, gradBath[2 * replica],
                                   gradBath[2 * replica + 1], work);
            scratch[0] = scale;
            scratch[1] = 2 * gradK / scale;
        }
        team.sync();
        const Real factor = static_cast<Real>(scratch[0]), pull = static_cast<Real>(scratch[1]);
        for (int i = team.rank(); i < state.numAtoms; i += team.size())
            if (state.inverseMass[i] > 0)
                for (size_t k = 3 * static_cast<size_t>(i); k < 3 * static_cast<size_t>(i) + 3; k++)
                    p[k] = factor * p[k] + pull * massOf<Real>(state.inverseMass[i]) * after[k];
    }
};

} // namespace diffpair::cuda
