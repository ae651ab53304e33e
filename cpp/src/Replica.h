#pragma once
#include "AtomBlocks.h"
#include "ExternalForces.h"
#include "PairTerm.h"
#include "Thermostat.h"

namespace diffpair {

/** Steps one replica forward and its adjoint backward; its buffers live as long as the replica runs. */
template <class Real> class Replica {
public:
    Replica(const SegmentProblem& problem, const PairTablePieces<Real>& table, int replica, Executor& executor)
        : problem(problem), executor(executor), numAtoms(problem.topology->numAtoms),
          thermostat(makeThermostat<Real>(problem.integrator, replica, problem.timestep, problem.inverseMass)), kick(numAtoms),
          drift(numAtoms), force(3 * static_cast<size_t>(numAtoms)) {
        const Box& box = problem.boxes[replica];
        auto pairTerm = std::make_unique<PairTerm<Real>>(problem, table, box);
        pairs = pairTerm.get();
        terms.push_back(std::move(pairTerm));
        for (const BondedForces& bonded : problem.bonded)
            terms.push_back(makeBondedTerm<Real>(bonded, box, numAtoms));
        if (problem.hasHook())
            external = std::make_unique<ExternalForces<Real>>(problem.hook, replica, numAtoms);
        const double driftTime = thermostat ? 0.5 * problem.timestep : problem.timestep;
        for (int i = 0; i < numAtoms; i++) {
            kick[i] = static_cast<Real>(problem.timestep * problem.inverseMass[i]);
            drift[i] = static_cast<Real>(problem.inverseMass[i] > 0 ? driftTime : 0.0); // a held atom stays
        }
    }

    /** Go on from a checkpoint, with the neighbour list that the first run had there: the same bits follow. */
    void restore(const Real* listOrigin, const double* record) {
        pairs->rebuildFrom(listOrigin, executor);
        if (thermostat)
            thermostat->restore(record);
    }

    /** Positions that the neighbour list was built from; before the first step, those it will be built from. */
    const Real* listOrigin(const Real* x) const {
        return pairs->listOrigin(x);
    }

    /** The hook's forces at x, [3 * numAtoms], overwritten; nothing is done without a hook. */
    void evaluateExternal(const Real* x, Real* f) {
        if (external)
            external->evaluate(x, f);
    }

    /**
     * Step t in place.
     *
     * @param externalForces  what evaluateExternal() gave at x; not looked at without a hook
     * @param record          [recordSize], overwritten; may be null
     */
    void step(int t, Real* x, Real* v, const Real* externalForces, double* record) {
        if (external)
            std::copy(externalForces, externalForces + force.size(), force.begin());
        else
            std::fill(force.begin(), force.end(), Real(0));
        for (auto& term : terms)
            term->addForces(x, force.data(), executor);
        addScaled(kick, force.data(), v);
        addScaled(drift, v, x);
        if (thermostat) {
            thermostat->apply(t, v, record, executor);
            addScaled(drift, v, x);
        }
    }

    /**
     * Step t of the adjoint.
     *
     * @param x         positions before the step
     * @param v         velocities after it; only looked at by a thermostat
     * @param externalForces  see step()
     * @param record    what the step wrote
     * @param lx, lv    gradients with respect to the state after the step, replaced by those before it
     */
    void stepBack(int t, const Real* x, const Real* v, const Real* externalForces, const double* record, Real* lx, Real* lv) {
        addScaled(drift, lx, lv);
        if (thermostat) {
            thermostat->applyAdjoint(t, v, record, lv, executor);
            addScaled(drift, lx, lv);
        }
        std::fill(force.begin(), force.end(), Real(0)); // w of DESIGN: the direction in which the force acts on the loss
        addScaled(kick, lv, force.data());
        for (auto& term : terms)
            term->addAdjoint(x, force.data(), lx, executor);
        if (external)
            external->addAdjoint(t, x, externalForces, force.data(), lx);
    }

    /** See PairTerm. */
    void sumPairs(const Real* x, double* sums) {
        pairs->sumPairs(x, sums, executor);
    }
    void sumPairsBack(const Real* x, const double* grad, Real* lx) {
        pairs->sumPairsBack(x, grad, lx, executor);
    }

    /** Gradients of all terms' parameters so far, overwritten: of the coefficients, then of bonded forces in their order. */
    void writeGradients(double* gradient) const {
        std::fill_n(gradient, problem.numParameters(), 0.0);
        terms[0]->addGradient(gradient);
        gradient += problem.numCoefficients();
        for (size_t k = 0; k < problem.bonded.size(); k++) {
            terms[k + 1]->addGradient(gradient);
            gradient += problem.bonded[k].numParameters();
        }
    }
    /** Gradients of (kT, rate) so far. */
    void writeGradBath(double* gradBath) const {
        gradBath[0] = thermostat->gradKT;
        gradBath[1] = thermostat->gradRate;
    }

private:
    /** to_i += factor_i from_i */
    void addScaled(const std::vector<Real>& factor, const Real* from, Real* to) {
        overAtoms(numAtoms, executor, [&](int i) {
            for (int k = 3 * i; k < 3 * i + 3; k++)
                to[k] += factor[i] * from[k];
        });
    }
    const SegmentProblem& problem;
    Executor& executor;
    const int numAtoms;
    std::vector<std::unique_ptr<ForceTerm<Real>>> terms; // the table, then the bonded forces
    PairTerm<Real>* pairs;
    std::unique_ptr<ExternalForces<Real>> external;
    std::unique_ptr<Thermostat<Real>> thermostat;
    std::vector<Real> kick, drift, force;
};

} // namespace diffpair
