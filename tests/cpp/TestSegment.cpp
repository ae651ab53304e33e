// A segment's gradient is that of its steps, on any number of threads; mostly for the sanitizers, see also tests/core.

#include "Check.h"
#include "diffpair/Segment.h"
#include <cmath>
#include <random>

using namespace diffpair;
using namespace diffpair::test;

namespace {

constexpr int numAtoms = 300, numReplicas = 2, numSteps = 8; // enough atoms for threads to share a replica
constexpr size_t size = static_cast<size_t>(numReplicas) * numAtoms * 3;

struct Start {
    PairTopology topology;
    std::vector<double> coefficients, bonds, torsions, x, v;
    SegmentProblem problem;

    /** @param further  with bonded forces and a hook, or without */
    Start(Integrator::Kind kind, bool further) {
        std::mt19937_64 engine(7);
        std::normal_distribution<double> noise(0, 1);
        topology.numAtoms = numAtoms;
        topology.numTypes = 2;
        for (int i = 0; i < numAtoms; i++)
            topology.types.push_back(i % 2);
        topology.exclusions = Exclusions(numAtoms, {0, 1, 2, 3, 0, 7});
        problem.grid = {0.25, 0.9, 30};
        for (int pair = 0; pair < 3; pair++)
            for (int k = 0; k < problem.grid.numCoefficients(); k++)
                coefficients.push_back(k + 3 < problem.grid.numCoefficients() ? 30 * std::exp(-0.3 * k) + 0.1 * pair : 0);
        for (int i = 0; i < numReplicas * numAtoms; i++)
            for (int k : {i % 7, i / 7 % 7, i % numAtoms / 49}) {
                x.push_back(0.4 * k + 0.03 * noise(engine));
                v.push_back(0.3 * noise(engine));
            }
        const double box[9] = {2.8, 0, 0, 0.5, 2.8, 0, 0.2, -0.3, 2.8};
        problem.topology = &topology;
        problem.boxes = {Box::fromVectors(box), Box::none()};
        problem.inverseMass.assign(numAtoms, 1.0 / 18);
        problem.inverseMass[5] = 0;
        problem.coefficients = coefficients.data();
        problem.integrator.kind = kind;
        problem.integrator.seed = 11;
        problem.integrator.degreesOfFreedom = 3 * numAtoms - 3;
        if (problem.integrator.hasBath())
            problem.integrator.bath = {2.5, 5, 2.5, 5};
        problem.timestep = 0.004;
        problem.numSteps = numSteps;
        problem.frameEvery = 4;
        problem.checkpointEvery = 3;
        problem.keepFrom = 5;
        problem.frameGrid = {0.2, 1.0, 20};
        if (further)
            addFurtherForces();
    }
    Start(const Start&) = delete;

private:
    void addFurtherForces() {
        problem.bonded.resize(2);
        BondedForces &first = problem.bonded[0], &second = problem.bonded[1];
        first.periodic = true;
        for (int i = 0; i + 57 < numAtoms; i += 5) {
            if (i % 7 == 6) // the next is in another row of the lattice
                continue;
            first.atoms.insert(first.atoms.end(), {i, i + 1});
            bonds.insert(bonds.end(), {0.4, 300});
            second.atoms.insert(second.atoms.end(), {i, i + 1, i + 8, i + 57}); // around corners of the lattice
            torsions.insert(torsions.end(), {2, 0.5, 20});
        }
        second.kind = BondedForces::Kind::PeriodicTorsion;
        first.parameters = bonds.data(), second.parameters = torsions.data();
        problem.hook.distance = 1e-6;
        problem.hook.central = problem.integrator.kind == Integrator::Kind::NoseHoover;
        problem.hook.forces = [](int replica, const double* x, double* forces) { // a chain of springs that are not harmonic
            std::fill_n(forces, 3 * numAtoms, 0.0);
            for (int k = 3; k < 3 * numAtoms; k++) {
                const double d = x[k] - x[k - 3], force = 20 * (replica + 1) * (d + d * d * d);
                forces[k] -= force;
                forces[k - 3] += force;
            }
        };
    }
};

struct Result {
    std::vector<double> frames, velocities, kept, records, sums;
};

Result runOn(Executor& executor, const Start& s) {
    const SegmentProblem& p = s.problem;
    Result r;
    r.frames.resize(size * p.numFrames());
    r.velocities.resize(r.frames.size());
    r.kept.resize(size * p.vectorsKept());
    r.records.resize(static_cast<size_t>(numReplicas) * p.numRecords() * p.integrator.recordSize() + 1);
    r.sums.resize(numReplicas * p.numFrames() * p.sumsOfFrame());
    runSegment<double>(p, s.x.data(), s.v.data(), r.frames.data(), r.velocities.data(), r.kept.data(), r.records.data(),
                       r.sums.data(), executor);
    return r;
}

/** The loss: frames, velocities and sums with random weights. */
double loss(const Result& r, const std::vector<double>& weights) {
    double total = 0;
    for (size_t k = 0; k < r.frames.size(); k++)
        total += weights[k] * (r.frames[k] + r.velocities[k]);
    for (size_t k = 0; k < r.sums.size(); k++)
        total += weights[k] * r.sums[k];
    return total;
}

void testGradient(Integrator::Kind kind, bool further, Executor& executor, const std::string& where) {
    Start s(kind, further);
    const Result r = runOn(executor, s);
    std::mt19937_64 engine(3);
    std::normal_distribution<double> noise(0, 1);
    std::vector<double> weights(r.frames.size()), direction(size);
    for (double& w : weights)
        w = noise(engine);
    for (double& d : direction)
        d = noise(engine);
    FrameGradients<double> gradients;
    gradients.x = gradients.v = gradients.sums = weights.data();
    gradients.framesX = r.frames.data();
    std::vector<double> gradX(size), gradV(size), gradP(s.problem.numParameters()), gradBath(2 * numReplicas);
    runSegmentAdjoint<double>(s.problem, r.kept.data(), r.records.data(), gradients, gradX.data(), gradV.data(), gradP.data(),
                              gradBath.data(), executor);
    double expected = 0, found[2];
    for (size_t k = 0; k < size; k++)
        expected += direction[k] * (gradX[k] + gradV[k]);
    for (size_t k = 0; k < gradP.size(); k++)
        expected += direction[k] * gradP[k];
    const double step = 1e-7; // so short that no pair crosses the end of the sums' grid, where they jump
    for (int side = 0; side < 2; side++) {
        Start moved(kind, further);
        const double along = side ? -step : step;
        for (size_t k = 0; k < size; k++) {
            moved.x[k] += along * direction[k];
            moved.v[k] += along * direction[k];
        }
        size_t k = 0;
        for (auto* parameters : {&moved.coefficients, &moved.bonds})
            for (double& parameter : *parameters)
                parameter += along * direction[k++];
        for (size_t p = 0; p < moved.torsions.size(); p++, k++)
            if (p % 3 > 0) // but for the periodicity
                moved.torsions[p] += along * direction[k];
        found[side] = loss(runOn(executor, moved), weights);
    }
    requireClose((found[0] - found[1]) / (2 * step), expected, 1e-5 * (100 + std::abs(expected)), "the gradient", where);
}

/** A hook that gives no two times the same bits, and fails when asked once too often. */
void testBits(Integrator::Kind kind) {
    SerialExecutor serial;
    std::vector<double> results[2];
    for (int whole = 0; whole < 2; whole++) {
        Start s(kind, true);
        int calls = 0;
        s.problem.hook.forces = [&calls, plain = s.problem.hook.forces](int replica, const double* x, double* forces) {
            plain(replica, x, forces);
            forces[0] += 1e-3 * (calls++ % numSteps); // the same in both runs, not when a step is done again
        };
        if (whole)
            s.problem.checkpointEvery = 1, s.problem.keepFrom = 0;
        const Result r = runOn(serial, s);
        require(calls == numReplicas * numSteps, "one evaluation of the hook per step");
        calls = 0;
        FrameGradients<double> gradients;
        gradients.x = r.frames.data();
        std::vector<double> gradX(size), gradV(size), gradP(s.problem.numParameters()), gradBath(2 * numReplicas);
        runSegmentAdjoint<double>(s.problem, r.kept.data(), r.records.data(), gradients, gradX.data(), gradV.data(), gradP.data(),
                                  gradBath.data(), serial);
        require(calls == numReplicas * numSteps * (s.problem.hook.central ? 2 : 1), "as many, or twice, on the way back");
        results[whole] = r.frames;
        results[whole].insert(results[whole].end(), gradX.begin(), gradX.end());
        results[whole].insert(results[whole].end(), gradP.begin(), gradP.end());
    }
    require(results[0] == results[1], "recomputation follows the first run bit for bit, whatever the hook gives");
    Start s(kind, true);
    s.problem.hook.forces = [](int, const double*, double*) { throw std::runtime_error("no forces"); };
    ThreadExecutor threads(3);
    requireRefusal<std::runtime_error>("no forces", [&] { runOn(threads, s); });
    s.problem.hook.distance = 0;
    requireRefusal<std::invalid_argument>("distance for differences", [&] { runOn(serial, s); });
}

} // namespace

int main() {
    return run([] {
        SerialExecutor serial;
        ThreadExecutor threads(3);
        for (auto [kind, name] :
             {std::pair{Integrator::Kind::Verlet, "Verlet"}, std::pair{Integrator::Kind::LangevinMiddle, "LangevinMiddle"},
              std::pair{Integrator::Kind::NoseHoover, "NoseHoover"}}) {
            testGradient(kind, false, serial, name);
            testGradient(kind, false, threads, std::string(name) + " on threads");
            testGradient(kind, true, serial, std::string(name) + " with further forces");
            testGradient(kind, true, threads, std::string(name) + " with further forces, on threads");
            testBits(kind);
        }
    });
}
