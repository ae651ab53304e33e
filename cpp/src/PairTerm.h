#pragma once
#include "diffpair/ForceTerm.h"
#include "diffpair/NeighborList.h"
#include "SegmentLayout.h"

namespace diffpair {

/** The table's forces, and the sums over pairs that share its neighbour lists. */
template <class Real> class PairTerm : public ForceTerm<Real> {
public:
    PairTerm(const SegmentProblem& problem, const PairTablePieces<Real>& table, const Box& box)
        : problem(problem), table(table), box(box), forward(*problem.topology, problem.reach(), limitedSkin(problem, box)),
          backward(forward), origin(3 * static_cast<size_t>(problem.topology->numAtoms)), moments(momentsOf(problem.grid), 0.0) {
    }

    void addForces(const Real* x, Real* f, Executor& executor) override {
        updateForward(x, executor);
        forward.loops.forces(table, forward.list.pairs(), f, nullptr, executor);
    }
    void addAdjoint(const Real* x, const Real* w, Real* jw, Executor& executor) override {
        backward.list.update(x, box, executor);
        backward.loops.forceAdjoint(table, backward.list.pairs(), w, jw, moments.data(), executor);
    }
    /** Of the table's coefficients. */
    void addGradient(double* gradient) const override {
        addCoefficients(problem.grid, moments, gradient);
    }

    /** Positions that the neighbour list was built from; before the first step, those it will be built from. */
    const Real* listOrigin(const Real* x) const {
        return started ? origin.data() : x;
    }
    /** The neighbour list as it was when listOrigin() gave this: the same bits follow. */
    void rebuildFrom(const Real* x, Executor& executor) {
        forward.list.rebuild(x, box, executor);
        std::copy(x, x + origin.size(), origin.begin());
        started = true;
    }

    /** Sums over pairs on the frame grid at positions after a step, [sumsOfFrame], overwritten. */
    void sumPairs(const Real* x, double* sums, Executor& executor) {
        updateForward(x, executor); // as the next step would: its list stays the same
        frameMoments.assign(momentsOf(problem.frameGrid), 0.0);
        forward.loops.moments(problem.frameGrid, forward.list.pairs(), frameMoments.data(), executor);
        std::fill_n(sums, problem.sumsOfFrame(), 0.0);
        addCoefficients(problem.frameGrid, frameMoments, sums);
    }
    /** Adds the gradient of sum_k grad_k sums_k with respect to x: minus the force of a table with these coefficients. */
    void sumPairsBack(const Real* x, const double* grad, Real* lx, Executor& executor) {
        negative.assign(grad, grad + problem.sumsOfFrame());
        for (double& g : negative)
            g = -g;
        frameTable.set(problem.frameGrid, problem.topology->numTypes, negative.data());
        backward.list.update(x, box, executor);
        backward.loops.forces(frameTable, backward.list.pairs(), lx, nullptr, executor);
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
    size_t momentsOf(const TableGrid& grid) const {
        return static_cast<size_t>(numPairs()) * grid.numPieces() * 4;
    }
    void addCoefficients(const TableGrid& grid, const std::vector<double>& from, double* to) const {
        for (int pair = 0; pair < numPairs(); pair++)
            piecesToCoefficients(grid, from.data() + static_cast<size_t>(pair) * grid.numPieces() * 4,
                                 to + static_cast<size_t>(pair) * grid.numCoefficients());
    }
    void updateForward(const Real* x, Executor& executor) {
        if (forward.list.update(x, box, executor))
            std::copy(x, x + origin.size(), origin.begin());
        started = true;
    }
    const SegmentProblem& problem;
    const PairTablePieces<Real>& table;
    const Box box;
    // Going back has a list of its own: it depends on the path alone, not on where the checkpoints are.
    Pairs forward, backward;
    std::vector<Real> origin;
    PairTablePieces<Real> frameTable;
    std::vector<double> moments, frameMoments, negative;
    bool started = false;
};

} // namespace diffpair
