// The kernels of cpp/cuda, compiled by an ordinary compiler and run on the processor: a library that
// test_cuda_arithmetic.py calls by ctypes, in place of the operators on device="cuda".
#include "HostQueue.h"
#include "PairRun.h"
#include "SegmentRunBack.h"

using namespace diffpair;
using namespace diffpair::cuda;

namespace {

std::string message;

/** Numbers of a system as ctypes hands them over. */
struct System {
    int numReplicas, numAtoms, numTypes, numExclusions, numKnots, teamSize, capacity;
    const int *types, *exclusions;
    const double *boxes, *inverseMass, *coefficients;
    double rMin, cutoff;
};
struct Dynamics {
    double timestep;
    int numSteps, frameEvery, checkpointEvery, keepFrom, kind, settings[4];
    unsigned long long seed;
    const double* bath;
};

PairTopology readTopology(const System& s) {
    PairTopology topology;
    topology.numAtoms = s.numAtoms;
    topology.numTypes = s.numTypes;
    topology.types.assign(s.types, s.types + s.numAtoms);
    topology.exclusions = Exclusions(s.numAtoms, {s.exclusions, s.exclusions + 2 * s.numExclusions});
    return topology;
}
std::vector<Box> readBoxes(const System& s) {
    std::vector<Box> boxes;
    for (int r = 0; r < s.numReplicas; r++)
        boxes.push_back(s.boxes[9 * r] == 0 ? Box::none() : Box::fromVectors(s.boxes + 9 * r));
    return boxes;
}
TableGrid readGrid(const System& s) {
    TableGrid grid;
    grid.rMin = s.rMin, grid.cutoff = s.cutoff, grid.numKnots = s.numKnots;
    return grid;
}
SegmentProblem readProblem(const System& s, const Dynamics& d, const PairTopology& topology) {
    SegmentProblem problem;
    problem.topology = &topology;
    problem.boxes = readBoxes(s);
    problem.inverseMass.assign(s.inverseMass, s.inverseMass + s.numAtoms);
    problem.grid = readGrid(s);
    problem.coefficients = s.coefficients;
    problem.integrator.kind = static_cast<Integrator::Kind>(d.kind);
    if (d.kind > 0)
        problem.integrator.bath.assign(d.bath, d.bath + 2 * s.numReplicas);
    problem.integrator.seed = d.seed;
    problem.integrator.degreesOfFreedom = d.settings[0];
    problem.integrator.chainLength = d.settings[1];
    problem.integrator.numMTS = d.settings[2];
    problem.integrator.numYoshidaSuzuki = d.settings[3];
    problem.timestep = d.timestep;
    problem.numSteps = d.numSteps;
    problem.frameEvery = d.frameEvery;
    problem.checkpointEvery = d.checkpointEvery;
    problem.keepFrom = d.keepFrom;
    problem.skin = 0.12 * s.cutoff;
    return problem;
}

/** Runs attempt(queue, capacity) until the rows are long enough; returns how often, or -1 with a message. */
template <class Attempt> int run(const System& s, const Attempt& attempt) {
    int attempts = 0;
    try {
        withLongEnoughRows(s.capacity, [&](int capacity) {
            attempts++;
            HostQueue queue(s.teamSize);
            return attempt(queue, capacity);
        });
        return attempts;
    } catch (const std::exception& error) {
        message = error.what();
        return -1;
    }
}

template <class Real> int sumsOf(const System& s, const Real* x, double* sums) {
    const PairTopology topology = readTopology(s);
    const std::vector<Box> boxes = readBoxes(s);
    const TableGrid grid = readGrid(s);
    return run(
        s, [&](HostQueue& queue, int capacity) { return splineSums<Real>(queue, {topology, boxes, grid, x}, sums, capacity); });
}
template <class Real> int forcesOf(const System& s, int numTables, const Real* x, Real* forces, double* energy, double* virial) {
    const PairTopology topology = readTopology(s);
    const std::vector<Box> boxes = readBoxes(s);
    const TableGrid grid = readGrid(s);
    return run(s, [&](HostQueue& queue, int capacity) {
        return pairForces<Real>(queue, {topology, boxes, grid, x}, s.coefficients, numTables, forces, energy, virial, capacity);
    });
}
template <class Real>
int segmentOf(const System& s, const Dynamics& d, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* kept,
              double* records) {
    const PairTopology topology = readTopology(s);
    const SegmentProblem problem = readProblem(s, d, topology);
    return run(s, [&](HostQueue& queue, int capacity) {
        return cuda::runSegment<Real>(queue, problem, x0, v0, framesX, framesV, kept, records, capacity);
    });
}
template <class Real>
int adjointOf(const System& s, const Dynamics& d, const Real* kept, const double* records, const Real* gradX, const Real* gradV,
              Real* gradX0, Real* gradV0, double* gradCoefficients, double* gradBath) {
    const PairTopology topology = readTopology(s);
    const SegmentProblem problem = readProblem(s, d, topology);
    return run(s, [&](HostQueue& queue, int capacity) {
        return cuda::runSegmentAdjoint<Real>(queue, problem, kept, records, gradX, gradV, gradX0, gradV0, gradCoefficients,
                                             gradBath, capacity);
    });
}

} // namespace

#define DIFFPAIR_EXPORT(Real, suffix)                                                                                            \
    int splineSums_##suffix(const System* s, const Real* x, double* sums) {                                                      \
        return sumsOf(*s, x, sums);                                                                                              \
    }                                                                                                                            \
    int pairForces_##suffix(const System* s, int numTables, const Real* x, Real* f, double* energy, double* virial) {            \
        return forcesOf(*s, numTables, x, f, energy, virial);                                                                    \
    }                                                                                                                            \
    int segment_##suffix(const System* s, const Dynamics* d, const Real* x0, const Real* v0, Real* x, Real* v, Real* kept,       \
                         double* records) {                                                                                      \
        return segmentOf(*s, *d, x0, v0, x, v, kept, records);                                                                   \
    }                                                                                                                            \
    int adjoint_##suffix(const System* s, const Dynamics* d, const Real* kept, const double* records, const Real* gx,            \
                         const Real* gv, Real* x0, Real* v0, double* c, double* bath) {                                          \
        return adjointOf(*s, *d, kept, records, gx, gv, x0, v0, c, bath);                                                        \
    }
extern "C" {
DIFFPAIR_EXPORT(float, float)
DIFFPAIR_EXPORT(double, double)
const char* lastMessage() {
    return message.c_str();
}
}
