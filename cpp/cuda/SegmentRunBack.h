#pragma once
#include "SegmentRun.h"
#include "StepsBack.h"
#include <optional>

namespace diffpair::cuda {

/** Consecutive steps of the path of all replicas, as the adjoint wants them. */
template <class Real> struct DevicePath {
    const Real* x; // before the first step, of the first replica
    const Real* v; // after it; null without a bath
    size_t stepSize, stride;
    const double* records;
    size_t recordSize, recordStride;
};

/** Steps the adjoint of all replicas backward. */
template <class Real, class Queue> class BackStepper {
public:
    BackStepper(const SegmentConstants<Real, Queue>& constants, Real* lx, Real* lv, int capacity)
        : constants(constants), queue(constants.queue), lists(queue, *constants.problem.topology, constants.problem.boxes,
                                                              constants.problem.grid.cutoff, constants.skins(), capacity),
          moments(queue, constants.numReplicas, constants.numAtoms,
                  numTypePairs(constants.problem.topology->numTypes) * constants.problem.grid.numPieces()),
          x(queue.template allocate<Four<Real>>(constants.atoms)),
          adjoint{constants.state(x, nullptr), lx, lv, queue.template allocate<Four<Real>>(constants.atoms)},
          gradBath(queue.template allocate<double>(2 * static_cast<size_t>(constants.numReplicas))) {
    }

    /** @param gradX, gradV  of all frames */
    void goBack(const DevicePath<Real>& path, int first, int last, const Real* gradX, const Real* gradV) {
        const SegmentLayout& at = constants.at;
        const size_t frameStride = constants.problem.numFrames() * at.size;
        for (int t = last - 1; t >= first; t--) {
            const size_t step = t - first;
            const bool frame = at.isFrame(t);
            queue.forEach(constants.atoms, BeforeTheta<Real>{adjoint, frame ? gradX + at.frame(0, t) : nullptr,
                                                             frame ? gradV + at.frame(0, t) : nullptr, frameStride});
            backOverTheta(t, path.v ? path.v + step * path.stepSize : nullptr, path.stride, path.records + step * path.recordSize,
                          path.recordStride);
            queue.forEach(constants.atoms, AfterTheta<Real>{adjoint, constants.problem.integrator.hasBath()});
            queue.forEach(constants.atoms, LoadPositions<Real>{path.x + step * path.stepSize, path.stride, constants.numAtoms,
                                                               constants.types, x});
            lists.update(x);
            const PairsView<Real> pairs{lists.view, constants.table, x};
            queue.forEach(constants.atoms, AddJacobian<Real>{pairs, adjoint.w, adjoint.lx});
            moments.add(pairs, AdjointTerms<Real>{adjoint.w, constants.table.inverseSpacing});
        }
    }

    /** Gradients of the coefficients, summed over replicas, and of (kT, rate) of each replica. */
    void results(double* gradCoefficients, double* gradBaths) {
        const TableGrid& grid = constants.problem.grid;
        const int rows = numTypePairs(constants.problem.topology->numTypes);
        const std::vector<double> all = moments.total();
        std::fill(gradCoefficients, gradCoefficients + static_cast<size_t>(rows) * grid.numCoefficients(), 0.0);
        for (size_t row = 0; row < static_cast<size_t>(constants.numReplicas) * rows; row++)
            piecesToCoefficients(grid, all.data() + row * grid.numPieces() * 4,
                                 gradCoefficients + row % rows * grid.numCoefficients());
        if (constants.problem.integrator.hasBath()) {
            const std::vector<double> bath = queue.download(gradBath, 2 * static_cast<size_t>(constants.numReplicas));
            std::copy(bath.begin(), bath.end(), gradBaths);
        }
    }
    int longestRow() {
        return lists.longestRow();
    }

private:
    void backOverTheta(int t, const Real* v, size_t stride, const double* record, size_t recordStride) {
        const Integrator& integrator = constants.problem.integrator;
        if (integrator.kind == Integrator::Kind::LangevinMiddle)
            queue.forTeams(constants.numReplicas, replicaTeam, replicaTeam * sizeof(double),
                           BackLangevin<Real>{adjoint, constants.baths, integrator.seed, t, constants.problem.timestep, v, stride,
                                              gradBath});
        else if (integrator.kind == Integrator::Kind::NoseHoover)
            queue.forTeams(constants.numReplicas, replicaTeam, replicaTeam * sizeof(double),
                           BackNoseHoover<Real>{adjoint, constants.chains, record, recordStride, v, stride, gradBath});
    }
    const SegmentConstants<Real, Queue>& constants;
    Queue& queue;
    DeviceLists<Real, Queue> lists; // of their own: they depend on the path alone, not on where the checkpoints are
    DeviceMoments<Real, Queue> moments;
    Four<Real>* x;
    AdjointView<Real> adjoint;
    double* gradBath;
};

/** Runs the steps of one checkpoint's block once more and keeps their path; see BlockPath in Segment.cpp. */
template <class Real, class Queue> class DeviceBlockPath {
public:
    DeviceBlockPath(const SegmentConstants<Real, Queue>& constants, int capacity)
        : constants(constants), stepper(constants, capacity),
          block(std::min(constants.problem.checkpointEvery, constants.problem.keepFrom)),
          stepSize(constants.problem.vectorsOfStep() * constants.at.size),
          states(constants.queue.template allocate<Real>(constants.numReplicas * block * stepSize)),
          records(constants.queue.template allocate<double>(constants.numReplicas * block * constants.at.recordSize)) {
    }

    DevicePath<Real> recompute(const Real* kept, const double* keptRecords, int checkpoint, int first, int last) {
        const SegmentProblem& problem = constants.problem;
        const SegmentLayout& at = constants.at;
        const size_t stride = block * stepSize, recordStride = block * at.recordSize;
        stepper.restore(kept + at.checkpoint(0, checkpoint), problem.vectorsKept() * at.size,
                        keptRecords + at.checkpointRecord(0, checkpoint), problem.numRecords() * at.recordSize);
        for (int t = first; t < last; t++) {
            Real* to = states + (t - first) * stepSize;
            stepper.storeX(to, stride);
            if (t + 1 == last && stepSize == at.size) // the state after the last step is not needed
                break;
            stepper.step(t, records + (t - first) * at.recordSize, recordStride);
            if (stepSize > at.size)
                stepper.storeV(to + at.size, stride);
        }
        return {states, stepSize > at.size ? states + at.size : nullptr, stepSize, stride, records, at.recordSize, recordStride};
    }
    int longestRow() {
        return stepper.longestRow();
    }

private:
    const SegmentConstants<Real, Queue>& constants;
    Stepper<Real, Queue> stepper;
    const size_t block, stepSize;
    Real* states;
    double* records;
};

/**
 * runSegmentAdjoint on any Queue: arrays on the device, but for gradCoefficients and gradBath.
 *
 * @return the length that the list's rows need to have; if it is more than `capacity`, the results are worth nothing
 */
template <class Real, class Queue>
int runSegmentAdjoint(Queue& queue, const SegmentProblem& problem, const Real* kept, const double* records,
                      const Real* gradFramesX, const Real* gradFramesV, Real* gradX0, Real* gradV0, double* gradCoefficients,
                      double* gradBath, int capacity) {
    const SegmentConstants<Real, Queue> constants(queue, problem);
    const SegmentLayout& at = constants.at;
    queue.clear(gradX0, 3 * constants.atoms);
    queue.clear(gradV0, 3 * constants.atoms);
    BackStepper<Real, Queue> back(constants, gradX0, gradV0, capacity);
    const int keepFrom = problem.keepFrom;
    const Real* states = kept + at.step(0, keepFrom);
    const DevicePath<Real> end{states,
                               problem.vectorsOfStep() > 1 ? states + at.size : nullptr,
                               problem.vectorsOfStep() * at.size,
                               problem.vectorsKept() * at.size,
                               records + at.stepRecord(0, keepFrom),
                               at.recordSize,
                               problem.numRecords() * at.recordSize};
    back.goBack(end, keepFrom, problem.numSteps, gradFramesX, gradFramesV);
    int longest = 0;
    if (keepFrom > 0) {
        DeviceBlockPath<Real, Queue> block(constants, capacity);
        for (int c = problem.numCheckpoints() - 1; c >= 0; c--) {
            const int first = c * problem.checkpointEvery, last = std::min(first + problem.checkpointEvery, keepFrom);
            back.goBack(block.recompute(kept, records, c, first, last), first, last, gradFramesX, gradFramesV);
        }
        longest = block.longestRow();
    }
    back.results(gradCoefficients, gradBath);
    return std::max(longest, back.longestRow());
}

} // namespace diffpair::cuda
