#include "SegmentArguments.h"
#include <c10/util/Exception.h>

namespace diffpair {

using at::Tensor;

namespace {

/**
 * @param bath      [R, 2], kT and rate of every replica; [R, 0] for Verlet
 * @param name      verlet, langevin-middle or nose-hoover
 * @param settings  none; (seed); (degrees of freedom, chain length, multiple time steps, Yoshida-Suzuki weights)
 */
Integrator readIntegrator(const Tensor& bath, c10::string_view name, at::IntArrayRef settings, int64_t replicas) {
    Integrator integrator;
    size_t numSettings = 0;
    if (name == "langevin-middle") {
        integrator.kind = Integrator::Kind::LangevinMiddle;
        numSettings = 1;
    } else if (name == "nose-hoover") {
        integrator.kind = Integrator::Kind::NoseHoover;
        numSettings = 4;
    } else {
        TORCH_CHECK(name == "verlet", "There is no integrator '", name, "', only verlet, langevin-middle and nose-hoover.");
    }
    TORCH_CHECK(settings.size() == numSettings, "The integrator ", name, " has ", numSettings, " settings, not ", settings.size(),
                ".");
    const Tensor numbers = checkedDoubles(bath, "bath", {replicas, integrator.hasBath() ? 2 : 0});
    integrator.bath.assign(numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel());
    if (integrator.kind == Integrator::Kind::LangevinMiddle) {
        integrator.seed = static_cast<uint64_t>(settings[0]);
    } else if (integrator.kind == Integrator::Kind::NoseHoover) {
        integrator.degreesOfFreedom = checkedInt(settings[0], "The number of degrees of freedom");
        integrator.chainLength = checkedInt(settings[1], "The length of the chain");
        integrator.numMTS = checkedInt(settings[2], "The number of multiple time steps");
        integrator.numYoshidaSuzuki = checkedInt(settings[3], "The number of Yoshida-Suzuki weights");
    }
    return integrator;
}

} // namespace

SegmentArguments::SegmentArguments(const Tensor& c, const Tensor& bath, const Tensor& boxes, const Tensor& types,
                                   const Tensor& exclusions, const Tensor& inverseMass, int64_t numTypes, double rMin,
                                   double cutoff, double timestep, int64_t steps, int64_t frameEvery, int64_t checkpointEvery,
                                   int64_t keepFrom, c10::string_view integrator, at::IntArrayRef settings,
                                   at::ArrayRef<double> sumsGrid, int64_t replicas)
    : topology(readTopology(types, exclusions, numTypes)),
      coefficients(checkedDoubles(c, "coefficients", {numTypePairs(topology.numTypes), -1})) {
    const Tensor mass = checkedDoubles(inverseMass, "inverse_mass", {topology.numAtoms});
    problem.topology = &topology;
    problem.boxes = readBoxes(boxes, replicas);
    problem.inverseMass.assign(mass.data_ptr<double>(), mass.data_ptr<double>() + mass.numel());
    problem.grid = readGrid(rMin, cutoff, coefficients.size(1) - 2);
    problem.coefficients = coefficients.data_ptr<double>();
    problem.integrator = readIntegrator(bath, integrator, settings, replicas);
    problem.timestep = timestep;
    problem.numSteps = checkedInt(steps, "The number of steps");
    problem.frameEvery = checkedInt(frameEvery, "The interval of frames");
    problem.checkpointEvery = checkedInt(checkpointEvery, "The interval of checkpoints");
    problem.keepFrom = checkedInt(keepFrom, "The first step to keep");
    problem.skin = 0.12 * cutoff;
    TORCH_CHECK(sumsGrid.empty() || sumsGrid.size() == 3, "A grid of sums is r_min, cutoff and number of knots.");
    if (!sumsGrid.empty())
        problem.frameGrid = readGrid(sumsGrid[0], sumsGrid[1], static_cast<int64_t>(sumsGrid[2]));
    problem.validate();
}

std::pair<Tensor, Tensor> checkedStart(const Tensor& x0, const Tensor& v0, const Tensor& types, at::DeviceType device) {
    const Tensor x = checkedVectors(x0, "x0", device), v = checkedVectors(v0, "v0", device);
    TORCH_CHECK(x.dim() == 3 && x.sizes() == v.sizes() && x.scalar_type() == v.scalar_type() && x.size(1) == types.numel(),
                "x0 and v0 must both have the shape [R, N, 3] with N = ", types.numel(), " and one dtype, not ", x.sizes(),
                " and ", v.sizes(), ".");
    return {x, v};
}

void checkKept(const SegmentProblem& problem, const Tensor& kept) {
    TORCH_CHECK(kept.sizes() == at::IntArrayRef({problem.numReplicas(), problem.vectorsKept(), problem.topology->numAtoms, 3}),
                "What a segment kept must go back unchanged.");
}

Tensor framesGradient(const std::optional<Tensor>& gradient, const char* name, const SegmentProblem& problem,
                      const Tensor& kept) {
    if (!gradient.has_value() || !gradient->defined())
        return Tensor();
    const Tensor g = checkedVectors(*gradient, name, kept.device().type());
    TORCH_CHECK(g.sizes() == at::IntArrayRef({kept.size(0), problem.numFrames(), kept.size(2), 3}) &&
                    g.scalar_type() == kept.scalar_type(),
                "The ", name, " must have the shape [R, F, N, 3] and the dtype of x, not ", g.sizes(), " and ", g.scalar_type(),
                ".");
    return g;
}

std::vector<int64_t> sumsShape(const SegmentProblem& problem) {
    const int64_t pairs = numTypePairs(problem.topology->numTypes);
    return {problem.numReplicas(), problem.numFrames(), pairs, static_cast<int64_t>(problem.sumsOfFrame()) / pairs};
}

} // namespace diffpair
