#pragma once
#include "AtomBlocks.h"
#include "SegmentLayout.h"
#include "Thermostat.h"

namespace diffpair {

/** Steps one replica forward and its adjoint backward; its buffers live as long as the replica runs. */
template <class Real> class Replica {
public:
    Replica(const SegmentProblem& problem, const PairTablePieces<Real>& table, int replica, Executor& executor)
        : problem(problem), table(table), box(problem.boxes[replica]), executor(executor), numAtoms(problem.topology->numAtoms),
          forward(*problem.topology, problem.reach(), limitedSkin(problem, box)), backward(forward),
          thermostat(makeThermostat<Real>(problem.integrator, replica, problem.timestep, problem.inverseMass)), kick(numAtoms),
          drift(numAtoms), force(3 * numAtoms), origin(3 * numAtoms) {
        const double driftTime = thermostat ? 0.5 * problem.timestep : problem.timestep;
        for (int i = 0; i < numAtoms; i++) {
            kick[i] = static_cast<Real>(problem.timestep * problem.inverseMass[i]);
            drift[i] = static_cast<Real>(problem.inverseMass[i] > 0 ? driftTime : 0.0); // a held atom stays
        }
    }

    /** Go on from a checkpoint, with the neighbour list that the first run had there: the same bits follow. */
    void restore(const Real* listOrigin, const double* record) {
        rebuildFrom(listOrigin);
        if (thermostat)
            thermostat->restore(record);
    }

    /** Positions that the neighbour list was built from; before the first step, those it will be built from. */
    const Real* listOrigin(const Real* x) const {
        return started ? origin.data() : x;
    }

    /**
     * Step t in place.
     *
     * @param record  [recordSize], overwritten; may be null
     */
    void step(int t, Real* x, Real* v, double* record) {
        updateForward(x);
        std::fill(force.begin(), force.end(), Real(0));
        forward.loops.forces(table, forward.list, force.data(), nullptr, executor);
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
     * @param record    what the step wrote
     * @param lx, lv    gradients with respect to the state after the step, replaced by those before it
     * @param moments   added to, see PairLoops::forceAdjoint
     */
    void stepBack(int t, const Real* x, const Real* v, const double* record, Real* lx, Real* lv, double* moments) {
        addScaled(drift, lx, lv);
        if (thermostat) {
            thermostat->applyAdjoint(t, v, record, lv, executor);
            addScaled(drift, lx, lv);
        }
        std::fill(force.begin(), force.end(), Real(0)); // w of DESIGN: the direction in which the force acts on the loss
        addScaled(kick, lv, force.data());
        backward.list.update(x, box, executor);
        backward.loops.forceAdjoint(table, backward.list, force.data(), lx, moments, executor);
    }

    /** Sums over pairs on the frame grid at positions after a step, [sumsOfFrame], overwritten. */
    void sumPairs(const Real* x, double* sums) {
        const TableGrid& grid = problem.frameGrid;
        updateForward(x); // as the next step would: its list stays the same
        frameMoments.assign(numPairs() * static_cast<size_t>(grid.numPieces()) * 4, 0.0);
        forward.loops.moments(grid, forward.list, frameMoments.data(), executor);
        std::fill_n(sums, problem.sumsOfFrame(), 0.0);
        for (int pair = 0; pair < numPairs(); pair++)
            piecesToCoefficients(grid, frameMoments.data() + static_cast<size_t>(pair) * grid.numPieces() * 4,
                                 sums + static_cast<size_t>(pair) * grid.numCoefficients());
    }

    /** Adds the gradient of sum_k grad_k sums_k with respect to x: minus the force of a table with these coefficients. */
    void sumPairsBack(const Real* x, const double* grad, Real* lx) {
        negative.assign(grad, grad + problem.sumsOfFrame());
        for (double& g : negative)
            g = -g;
        frameTable.set(problem.frameGrid, problem.topology->numTypes, negative.data());
        backward.list.update(x, box, executor);
        backward.loops.forces(frameTable, backward.list, lx, nullptr, executor);
    }

    /** Gradients of (kT, rate) so far. */
    void writeGradBath(double* gradBath) const {
        gradBath[0] = thermostat->gradKT;
        gradBath[1] = thermostat->gradRate;
    }

private:
    struct Pairs {
        NeighborList<Real> list;
        PairLoops<Real> loops;
        Pairs(const PairTopology& topology, double cutoff, double skin) : list(topology, cutoff, skin) {
        }
    };
    int numPairs() const {
        return numTypePairs(problem.topology->numTypes);
    }
    void updateForward(const Real* x) {
        if (forward.list.update(x, box, executor))
            std::copy(x, x + force.size(), origin.begin());
        started = true;
    }
    void rebuildFrom(const Real* x) {
        forward.list.rebuild(x, box, executor);
        std::copy(x, x + force.size(), origin.begin());
        started = true;
    }
    /** to_i += factor_i from_i */
    void addScaled(const std::vector<Real>& factor, const Real* from, Real* to) {
        overAtoms(numAtoms, executor, [&](int i) {
            for (int k = 3 * i; k < 3 * i + 3; k++)
                to[k] += factor[i] * from[k];
        });
    }
    const SegmentProblem& problem;
    const PairTablePieces<Real>& table;
    const Box box;
    Executor& executor;
    const int numAtoms;
    // Going back has a list of its own: it depends on the path alone, not on where the checkpoints are.
    Pairs forward, backward;
    std::unique_ptr<Thermostat<Real>> thermostat;
    std::vector<Real> kick, drift, force, origin;
    PairTablePieces<Real> frameTable;
    std::vector<double> frameMoments, negative;
    bool started = false;
};

} // namespace diffpair
