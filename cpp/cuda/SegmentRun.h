#pragma once
#include "DeviceLists.h"
#include "NoseHooverChain.h"
#include "SegmentLayout.h"
#include "Steps.h"
#include <stdexcept>

namespace diffpair::cuda {

/** What a segment's steps and their adjoint share on the device. */
template <class Real, class Queue> struct SegmentConstants {
    Queue& queue;
    const SegmentProblem& problem;
    const SegmentLayout at{problem};
    const int numReplicas = problem.numReplicas(), numAtoms = problem.topology->numAtoms;
    const size_t atoms = static_cast<size_t>(numReplicas) * numAtoms;
    PairTable<Real> table;
    const Real *types, *kick, *drift;
    const double* inverseMass;
    const Bath<Real>* baths = nullptr;
    ChainsView chains{};

    SegmentConstants(Queue& queue, const SegmentProblem& problem) : queue(queue), problem(problem) {
        if (!problem.bonded.empty() || problem.hasHook())
            throw std::invalid_argument("On a GPU a segment knows no forces beside the table's: run it on the CPU.");
        table = uploadTable<Real>(queue, problem.grid, problem.topology->numTypes, problem.coefficients, 1);
        types = uploadTypes<Real>(queue, *problem.topology);
        inverseMass = queue.upload(problem.inverseMass);
        const double driftTime = problem.integrator.hasBath() ? 0.5 * problem.timestep : problem.timestep;
        std::vector<Real> kicks, drifts;
        for (double inverse : problem.inverseMass) {
            kicks.push_back(static_cast<Real>(problem.timestep * inverse));
            drifts.push_back(static_cast<Real>(inverse > 0 ? driftTime : 0.0)); // a held atom stays
        }
        kick = queue.upload(kicks);
        drift = queue.upload(drifts);
        if (problem.integrator.kind == Integrator::Kind::LangevinMiddle)
            uploadBaths();
        else if (problem.integrator.kind == Integrator::Kind::NoseHoover)
            uploadChains();
    }
    SegmentConstants(const SegmentConstants&) = delete;

    std::vector<double> skins() const {
        std::vector<double> result;
        for (const Box& box : problem.boxes)
            result.push_back(limitedSkin(problem, box));
        return result;
    }
    StateView<Real> state(Four<Real>* x, Real* v) const {
        return {numAtoms, inverseMass, kick, drift, x, v};
    }

private:
    void uploadBaths() {
        std::vector<Bath<Real>> all;
        for (int r = 0; r < numReplicas; r++) {
            const double decay = problem.integrator.rate(r) * problem.timestep;
            all.push_back({problem.integrator.kT(r), problem.integrator.rate(r), static_cast<Real>(std::exp(-decay)),
                           -std::expm1(-2 * decay)});
        }
        baths = queue.upload(all);
    }
    void uploadChains() {
        const Integrator& integrator = problem.integrator;
        const std::vector<double> weights = chainTimeSteps(integrator, problem.timestep);
        const double* onDevice = queue.upload(weights);
        std::vector<ChainSteps> steps(numReplicas);
        for (int r = 0; r < numReplicas; r++)
            steps[r] = {integrator.chainLength,
                        static_cast<double>(integrator.degreesOfFreedom),
                        integrator.kT(r),
                        integrator.rate(r),
                        onDevice,
                        static_cast<int>(weights.size())};
        const size_t numbers = static_cast<size_t>(numReplicas) * integrator.chainLength;
        chains.steps = queue.upload(steps);
        chains.V = queue.template allocate<double>(numbers);
        chains.gradV = queue.template allocate<double>(numbers);
        if (numReplicas > 0)
            chains.scratch = queue.template allocate<double>(static_cast<size_t>(numReplicas) * steps[0].scratchSize());
    }
};

/** Steps all replicas forward; the whole of it is kernels, the host only submits them. */
template <class Real, class Queue> class Stepper {
public:
    Stepper(const SegmentConstants<Real, Queue>& constants, int capacity)
        : constants(constants), queue(constants.queue), lists(queue, *constants.problem.topology, constants.problem.boxes,
                                                              constants.problem.grid.cutoff, constants.skins(), capacity),
          x(queue.template allocate<Four<Real>>(constants.atoms)), v(queue.template allocate<Real>(3 * constants.atoms)) {
    }

    /** @param stride  between the states of two replicas */
    void load(const Real* fromX, const Real* fromV, size_t stride) {
        queue.forEach(constants.atoms, LoadPositions<Real>{fromX, stride, constants.numAtoms, constants.types, x});
        queue.forEach(constants.atoms, LoadVectors<Real>{fromV, stride, constants.numAtoms, v});
    }
    void storeX(Real* to, size_t stride) const {
        queue.forEach(constants.atoms, StorePositions<Real>{x, to, stride, constants.numAtoms});
    }
    void storeV(Real* to, size_t stride) const {
        queue.forEach(constants.atoms, StoreVectors<Real>{v, to, stride, constants.numAtoms});
    }
    /** Positions that the lists were built from; before the first step, those they will be built from. */
    void storeOrigin(Real* to, size_t stride) const {
        queue.forEach(constants.atoms,
                      StorePositions<Real>{lists.view.origin, to, stride, constants.numAtoms, lists.view.known, x});
    }

    /** Go on from a checkpoint, with the lists that the first run had there: the same bits follow. */
    void restore(const Real* checkpoint, size_t stride, const double* record, size_t recordStride) {
        const size_t size = constants.at.size;
        load(checkpoint + 2 * size, checkpoint + size, stride);
        lists.update(x, true);
        load(checkpoint, checkpoint + size, stride);
        if (constants.problem.integrator.recordSize() > 0) {
            const int length = constants.problem.integrator.chainLength;
            queue.forEach(static_cast<size_t>(constants.numReplicas) * length,
                          RestoreChains{constants.chains, length, record, recordStride});
        }
    }

    /** @param record  of the first replica, overwritten; may be null */
    void step(int t, double* record, size_t recordStride) {
        const StateView<Real> state = constants.state(x, v);
        lists.update(x);
        queue.forEach(constants.atoms, Kick<Real>{{lists.view, constants.table, x}, constants.kick, v});
        switch (constants.problem.integrator.kind) {
        case Integrator::Kind::Verlet:
            queue.forEach(constants.atoms, MoveVerlet<Real>{state});
            break;
        case Integrator::Kind::LangevinMiddle:
            queue.forEach(constants.atoms, MoveLangevin<Real>{state, constants.baths, constants.problem.integrator.seed, t});
            break;
        case Integrator::Kind::NoseHoover:
            queue.forTeams(constants.numReplicas, replicaTeam, replicaTeam * sizeof(double),
                           MoveNoseHoover<Real>{state, constants.chains, record, recordStride});
            break;
        }
    }
    int longestRow() {
        return lists.longestRow();
    }

private:
    const SegmentConstants<Real, Queue>& constants;
    Queue& queue;
    DeviceLists<Real, Queue> lists;
    Four<Real>* x;
    Real* v;
};

/**
 * runSegment on any Queue: arrays on the device.
 *
 * @return the length that the list's rows need to have; if it is more than `capacity`, the results are worth nothing
 */
template <class Real, class Queue>
int runSegment(Queue& queue, const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV,
               Real* kept, double* records, int capacity) {
    const SegmentConstants<Real, Queue> constants(queue, problem);
    const SegmentLayout& at = constants.at;
    const size_t keptStride = problem.vectorsKept() * at.size, recordStride = problem.numRecords() * at.recordSize,
                 frameStride = problem.numFrames() * at.size;
    Stepper<Real, Queue> stepper(constants, capacity);
    stepper.load(x0, v0, at.size);
    for (int t = 0; t < problem.numSteps; t++) {
        double* record = nullptr;
        if (t >= problem.keepFrom) {
            stepper.storeX(kept + at.step(0, t), keptStride);
            record = records + at.stepRecord(0, t);
        } else if (t % problem.checkpointEvery == 0) {
            Real* checkpoint = kept + at.checkpoint(0, t / problem.checkpointEvery);
            stepper.storeX(checkpoint, keptStride);
            stepper.storeV(checkpoint + at.size, keptStride);
            stepper.storeOrigin(checkpoint + 2 * at.size, keptStride);
            record = records + at.checkpointRecord(0, t / problem.checkpointEvery);
        }
        stepper.step(t, record, recordStride);
        if (t >= problem.keepFrom && problem.vectorsOfStep() > 1)
            stepper.storeV(kept + at.step(0, t) + at.size, keptStride);
        if (at.isFrame(t)) {
            stepper.storeX(framesX + at.frame(0, t), frameStride);
            stepper.storeV(framesV + at.frame(0, t), frameStride);
        }
    }
    return stepper.longestRow();
}

} // namespace diffpair::cuda
