#include "diffpair/Segment.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace diffpair {

void SegmentProblem::validate() const {
    if (topology == nullptr || coefficients == nullptr)
        throw std::invalid_argument("A segment needs a topology and table coefficients.");
    topology->validate();
    grid.validate();
    if (static_cast<int>(inverseMass.size()) != topology->numAtoms)
        throw std::invalid_argument("A segment needs one inverse mass per particle: " + std::to_string(inverseMass.size()) +
                                    " given for " + std::to_string(topology->numAtoms) + ".");
    if (!(timestep > 0) || !std::isfinite(timestep))
        throw std::invalid_argument("The time step of a segment must be positive.");
    if (numSteps < 1 || frameEvery < 1 || numSteps % frameEvery != 0)
        throw std::invalid_argument(
            "A segment needs at least one step and a frame interval that divides the number of steps, not " +
            std::to_string(numSteps) + " steps with a frame every " + std::to_string(frameEvery) + ".");
    for (const Box& box : boxes)
        if (box.periodic && grid.cutoff > box.maxCutoff())
            throw std::invalid_argument("The cutoff " + std::to_string(grid.cutoff) + " nm is beyond half the periodic box (" +
                                        std::to_string(box.maxCutoff()) + " nm).");
}

namespace {

/** Steps one replica; its buffers live as long as the replica runs. */
template <class Real> class Replica {
public:
    Replica(const SegmentProblem& problem, const PairTablePieces<Real>& table, const Box& box, Executor& executor)
        : problem(problem), table(table), box(box), executor(executor),
          list(*problem.topology, problem.grid.cutoff, limitedSkin(problem, box)), kick(problem.topology->numAtoms),
          force(3 * problem.topology->numAtoms) {
        for (size_t i = 0; i < kick.size(); i++)
            kick[i] = static_cast<Real>(problem.timestep * problem.inverseMass[i]);
    }

    /** One step in place. A checkpoint step rebuilds the list, in the forward pass and in every recomputation alike. */
    void step(int t, Real* x, Real* v) {
        if (t % problem.checkpointEvery == 0)
            list.rebuild(x, box, executor);
        else
            list.update(x, box, executor);
        std::fill(force.begin(), force.end(), Real(0));
        loops.forces(table, list, force.data(), nullptr, executor);
        const Real dt = static_cast<Real>(problem.timestep);
        for (size_t i = 0; i < kick.size(); i++)
            for (size_t k = 3 * i; k < 3 * i + 3; k++) {
                v[k] += kick[i] * force[k];
                x[k] += dt * v[k];
            }
    }

    /** lx, lv: gradients with respect to the state after step t, replaced by those before it; x is the state before it. */
    void stepBack(const Real* x, Real* lx, Real* lv, double* moments) {
        const Real dt = static_cast<Real>(problem.timestep);
        list.update(x, box, executor);
        for (size_t i = 0; i < kick.size(); i++)
            for (size_t k = 3 * i; k < 3 * i + 3; k++) {
                lv[k] += dt * lx[k];
                force[k] = kick[i] * lv[k]; // w of DESIGN: the direction in which the force acts on the loss
            }
        loops.forceAdjoint(table, list, force.data(), lx, moments, executor);
    }

private:
    /** Beyond maxCutoff() a distance cannot be judged; a skin that reaches there would only add pairs. */
    static double limitedSkin(const SegmentProblem& problem, const Box& box) {
        return box.periodic ? std::min(problem.skin, std::max(0.0, box.maxCutoff() - problem.grid.cutoff)) : problem.skin;
    }
    const SegmentProblem& problem;
    const PairTablePieces<Real>& table;
    Box box;
    Executor& executor;
    NeighborList<Real> list;
    PairLoops<Real> loops;
    std::vector<Real> kick, force;
};

/** Many replicas: one thread each. Few: the threads share each replica's pair loops. */
template <class Task> void overReplicas(int numReplicas, Executor& executor, const Task& task) {
    if (numReplicas >= executor.numThreads()) {
        executor.run(numReplicas, [&](int replica) {
            SerialExecutor serial;
            task(replica, serial);
        });
    } else {
        for (int replica = 0; replica < numReplicas; replica++)
            task(replica, executor);
    }
}

} // namespace

template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* checkpoints,
                Executor& executor) {
    problem.validate();
    const size_t size = 3 * static_cast<size_t>(problem.topology->numAtoms);
    const PairTablePieces<Real> table(problem.grid, problem.topology->numTypes, problem.coefficients);
    overReplicas(problem.numReplicas(), executor, [&](int r, Executor& threads) {
        Replica<Real> replica(problem, table, problem.boxes[r], threads);
        std::vector<Real> x(x0 + r * size, x0 + (r + 1) * size), v(v0 + r * size, v0 + (r + 1) * size);
        for (int t = 0; t < problem.numSteps; t++) {
            if (t % problem.checkpointEvery == 0) {
                Real* to =
                    checkpoints + (static_cast<size_t>(r) * problem.numCheckpoints() + t / problem.checkpointEvery) * 2 * size;
                std::copy(x.begin(), x.end(), to);
                std::copy(v.begin(), v.end(), to + size);
            }
            replica.step(t, x.data(), v.data());
            if ((t + 1) % problem.frameEvery == 0) {
                const size_t frame = static_cast<size_t>(r) * problem.numFrames() + (t + 1) / problem.frameEvery - 1;
                std::copy(x.begin(), x.end(), framesX + frame * size);
                std::copy(v.begin(), v.end(), framesV + frame * size);
            }
        }
    });
}

template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* checkpoints, const Real* gradFramesX, const Real* gradFramesV,
                       Real* gradX0, Real* gradV0, double* gradCoefficients, Executor& executor) {
    problem.validate();
    const size_t size = 3 * static_cast<size_t>(problem.topology->numAtoms);
    const int numPairs = numTypePairs(problem.topology->numTypes), every = problem.checkpointEvery;
    const size_t numMoments = static_cast<size_t>(numPairs) * problem.grid.numPieces() * 4;
    const PairTablePieces<Real> table(problem.grid, problem.topology->numTypes, problem.coefficients);
    std::vector<double> moments(problem.numReplicas() * numMoments, 0.0); // per replica: summed in replica order
    overReplicas(problem.numReplicas(), executor, [&](int r, Executor& threads) {
        Replica<Real> replica(problem, table, problem.boxes[r], threads);
        Real *lx = gradX0 + r * size, *lv = gradV0 + r * size;
        std::fill(lx, lx + size, Real(0));
        std::fill(lv, lv + size, Real(0));
        std::vector<Real> path(std::min(every, problem.numSteps) * size), x(size), v(size);
        for (int c = problem.numCheckpoints() - 1; c >= 0; c--) {
            const int first = c * every, last = std::min(first + every, problem.numSteps);
            const Real* from = checkpoints + (static_cast<size_t>(r) * problem.numCheckpoints() + c) * 2 * size;
            std::copy(from, from + size, x.begin());
            std::copy(from + size, from + 2 * size, v.begin());
            for (int t = first; t < last; t++) {
                std::copy(x.begin(), x.end(), path.begin() + (t - first) * size);
                if (t + 1 < last) // the state after the last step is not needed
                    replica.step(t, x.data(), v.data());
            }
            for (int t = last - 1; t >= first; t--) {
                if ((t + 1) % problem.frameEvery == 0) {
                    const size_t frame = static_cast<size_t>(r) * problem.numFrames() + (t + 1) / problem.frameEvery - 1;
                    for (size_t k = 0; k < size; k++) {
                        lx[k] += gradFramesX[frame * size + k];
                        lv[k] += gradFramesV[frame * size + k];
                    }
                }
                replica.stepBack(path.data() + (t - first) * size, lx, lv, moments.data() + r * numMoments);
            }
        }
    });
    std::fill(gradCoefficients, gradCoefficients + static_cast<size_t>(numPairs) * problem.grid.numCoefficients(), 0.0);
    for (int r = 0; r < problem.numReplicas(); r++)
        for (int pair = 0; pair < numPairs; pair++)
            piecesToCoefficients(problem.grid,
                                 moments.data() + r * numMoments + static_cast<size_t>(pair) * problem.grid.numPieces() * 4,
                                 gradCoefficients + static_cast<size_t>(pair) * problem.grid.numCoefficients());
}

template void runSegment<float>(const SegmentProblem&, const float*, const float*, float*, float*, float*, Executor&);
template void runSegment<double>(const SegmentProblem&, const double*, const double*, double*, double*, double*, Executor&);
template void runSegmentAdjoint<float>(const SegmentProblem&, const float*, const float*, const float*, float*, float*, double*,
                                       Executor&);
template void runSegmentAdjoint<double>(const SegmentProblem&, const double*, const double*, const double*, double*, double*,
                                        double*, Executor&);

} // namespace diffpair
