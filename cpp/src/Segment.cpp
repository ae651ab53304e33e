#include "diffpair/Segment.h"
#include "Replica.h"
#include "SegmentLayout.h"
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
    integrator.validate(numReplicas());
    for (const BondedForces& forces : bonded)
        forces.validate(topology->numAtoms);
    if (hasHook() && !(hook.distance > 0 && std::isfinite(hook.distance)))
        throw std::invalid_argument("The distance for differences of further forces must be positive.");
    if (!(timestep > 0) || !std::isfinite(timestep))
        throw std::invalid_argument("The time step of a segment must be positive.");
    if (numSteps < 1 || frameEvery < 1 || numSteps % frameEvery != 0)
        throw std::invalid_argument(
            "A segment needs at least one step and a frame interval that divides the number of steps, not " +
            std::to_string(numSteps) + " steps with a frame every " + std::to_string(frameEvery) + ".");
    if (checkpointEvery < 1 || keepFrom < 0 || keepFrom > numSteps)
        throw std::invalid_argument("A segment of " + std::to_string(numSteps) + " steps cannot have a checkpoint every " +
                                    std::to_string(checkpointEvery) + " steps up to step " + std::to_string(keepFrom) + ".");
    for (const Box& box : boxes)
        if (box.periodic && reach() > box.maxCutoff() * (1 + 1e-12))
            throw std::invalid_argument("The cutoff " + std::to_string(reach()) + " nm is beyond half the periodic box (" +
                                        std::to_string(box.maxCutoff()) + " nm).");
}

namespace {

/** Below this many atoms, threads that share a replica wait for each other longer than they work. */
constexpr int atomsWorthSharing = 250;

/** Many replicas, or small ones: one thread each. Few: the threads share each replica's pair loops. */
template <class Task> void overReplicas(const SegmentProblem& problem, Executor& executor, const Task& task) {
    const int numReplicas = problem.numReplicas();
    if (numReplicas >= executor.numThreads() || problem.topology->numAtoms < atomsWorthSharing) {
        executor.run(numReplicas, [&](int replica) {
            SerialExecutor serial;
            task(replica, serial);
        });
    } else {
        for (int replica = 0; replica < numReplicas; replica++)
            task(replica, executor);
    }
}

/** Consecutive steps as the adjoint wants them: x before each of them, v after it (only with a bath), the bath's record. */
template <class Real> struct Path {
    const Real* states;
    const double* records;
    size_t stepSize, size, recordSize;

    const Real* x(int step) const {
        return states + step * stepSize;
    }
    const Real* v(int step) const {
        return stepSize > size ? states + step * stepSize + size : nullptr;
    }
    const double* record(int step) const {
        return records + step * recordSize;
    }
};

/** Runs the steps of one checkpoint's block once more and keeps their path; the buffers serve all blocks of a replica. */
template <class Real> class BlockPath {
public:
    explicit BlockPath(const SegmentLayout& layout)
        : layout(layout), stepSize(layout.problem.vectorsOfStep() * layout.size),
          states(std::min(layout.problem.checkpointEvery, layout.problem.keepFrom) * stepSize),
          records(std::min(layout.problem.checkpointEvery, layout.problem.keepFrom) * layout.recordSize), x(layout.size),
          v(layout.size) {
    }

    /** @param external  the hook's forces at the start of the first step, those of the others behind; null without a hook */
    Path<Real> recompute(Replica<Real>& replica, const Real* checkpoint, const double* record, const Real* external, int first,
                         int last) {
        const size_t size = layout.size;
        std::copy(checkpoint, checkpoint + size, x.begin());
        std::copy(checkpoint + size, checkpoint + 2 * size, v.begin());
        replica.restore(checkpoint + 2 * size, record);
        for (int t = first; t < last; t++) {
            Real* to = states.data() + (t - first) * stepSize;
            std::copy(x.begin(), x.end(), to);
            if (t + 1 == last && stepSize == size) // the state after the last step is not needed
                break;
            replica.step(t, x.data(), v.data(), external ? external + (t - first) * size : nullptr,
                         records.data() + (t - first) * layout.recordSize);
            if (stepSize > size)
                std::copy(v.begin(), v.end(), to + size);
        }
        return {states.data(), records.data(), stepSize, size, layout.recordSize};
    }

private:
    const SegmentLayout& layout;
    const size_t stepSize;
    std::vector<Real> states;
    std::vector<double> records;
    std::vector<Real> x, v;
};

} // namespace

template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* kept,
                double* records, double* frameSums, Executor& executor) {
    problem.validate();
    const SegmentLayout at{problem};
    const size_t size = at.size;
    const PairTablePieces<Real> table(problem.grid, problem.topology->numTypes, problem.coefficients);
    overReplicas(problem, executor, [&](int r, Executor& threads) {
        Replica<Real> replica(problem, table, r, threads);
        const Real *startX = x0 + at.state(r), *startV = v0 + at.state(r);
        std::vector<Real> x(startX, startX + size), v(startV, startV + size);
        for (int t = 0; t < problem.numSteps; t++) {
            double* record = nullptr;
            if (t >= problem.keepFrom) {
                std::copy(x.begin(), x.end(), kept + at.step(r, t));
                record = records + at.stepRecord(r, t);
            } else if (t % problem.checkpointEvery == 0) {
                Real* checkpoint = kept + at.checkpoint(r, t / problem.checkpointEvery);
                std::copy(x.begin(), x.end(), checkpoint);
                std::copy(v.begin(), v.end(), checkpoint + size);
                std::copy_n(replica.listOrigin(x.data()), size, checkpoint + 2 * size);
                record = records + at.checkpointRecord(r, t / problem.checkpointEvery);
            }
            Real* external = problem.hasHook() ? kept + at.external(r, t) : nullptr;
            replica.evaluateExternal(x.data(), external);
            replica.step(t, x.data(), v.data(), external, record);
            if (t >= problem.keepFrom && problem.vectorsOfStep() > 1)
                std::copy(v.begin(), v.end(), kept + at.step(r, t) + size);
            if (at.isFrame(t)) {
                std::copy(x.begin(), x.end(), framesX + at.frame(r, t));
                std::copy(v.begin(), v.end(), framesV + at.frame(r, t));
                if (problem.hasFrameSums())
                    replica.sumPairs(x.data(), frameSums + at.frameSums(r, t));
            }
        }
    });
}

template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* kept, const double* records,
                       const FrameGradients<Real>& gradFrames, Real* gradX0, Real* gradV0, double* gradParameters,
                       double* gradBath, Executor& executor) {
    problem.validate();
    const SegmentLayout at{problem};
    const size_t size = at.size;
    const PairTablePieces<Real> table(problem.grid, problem.topology->numTypes, problem.coefficients);
    const size_t numParameters = problem.numParameters();
    std::vector<double> gradients(problem.numReplicas() * numParameters); // per replica: summed in replica order
    overReplicas(problem, executor, [&](int r, Executor& threads) {
        Replica<Real> replica(problem, table, r, threads);
        Real *lx = gradX0 + at.state(r), *lv = gradV0 + at.state(r);
        std::fill(lx, lx + size, Real(0));
        std::fill(lv, lv + size, Real(0));
        const auto external = [&](int t) { return problem.hasHook() ? kept + at.external(r, t) : nullptr; };
        const auto goBack = [&](const Path<Real>& path, int first, int last) {
            for (int t = last - 1; t >= first; t--) {
                if (at.isFrame(t)) {
                    const size_t frame = at.frame(r, t);
                    for (size_t k = 0; gradFrames.x != nullptr && k < size; k++)
                        lx[k] += gradFrames.x[frame + k];
                    for (size_t k = 0; gradFrames.v != nullptr && k < size; k++)
                        lv[k] += gradFrames.v[frame + k];
                    if (gradFrames.sums != nullptr)
                        replica.sumPairsBack(gradFrames.framesX + frame, gradFrames.sums + at.frameSums(r, t), lx);
                }
                replica.stepBack(t, path.x(t - first), path.v(t - first), external(t), path.record(t - first), lx, lv);
            }
        };
        const int keepFrom = problem.keepFrom;
        goBack({kept + at.step(r, keepFrom), records + at.stepRecord(r, keepFrom), problem.vectorsOfStep() * size, size,
                at.recordSize},
               keepFrom, problem.numSteps);
        BlockPath<Real> block(at);
        for (int c = problem.numCheckpoints() - 1; c >= 0; c--) {
            const int first = c * problem.checkpointEvery, last = std::min(first + problem.checkpointEvery, keepFrom);
            goBack(block.recompute(replica, kept + at.checkpoint(r, c), records + at.checkpointRecord(r, c), external(first),
                                   first, last),
                   first, last);
        }
        replica.writeGradients(gradients.data() + r * numParameters);
        if (problem.integrator.hasBath())
            replica.writeGradBath(gradBath + 2 * r);
    });
    std::fill(gradParameters, gradParameters + numParameters, 0.0);
    for (int r = 0; r < problem.numReplicas(); r++)
        for (size_t k = 0; k < numParameters; k++)
            gradParameters[k] += gradients[r * numParameters + k];
}

template void runSegment<float>(const SegmentProblem&, const float*, const float*, float*, float*, float*, double*, double*,
                                Executor&);
template void runSegment<double>(const SegmentProblem&, const double*, const double*, double*, double*, double*, double*, double*,
                                 Executor&);
template void runSegmentAdjoint<float>(const SegmentProblem&, const float*, const double*, const FrameGradients<float>&, float*,
                                       float*, double*, double*, Executor&);
template void runSegmentAdjoint<double>(const SegmentProblem&, const double*, const double*, const FrameGradients<double>&,
                                        double*, double*, double*, double*, Executor&);

} // namespace diffpair
