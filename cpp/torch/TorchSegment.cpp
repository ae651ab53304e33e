#include "TorchSegment.h"
#include <c10/util/Exception.h>
#include <stdexcept>

namespace diffpair {

using at::Tensor;

namespace {

std::vector<double> toVector(const Tensor& numbers) {
    return {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()};
}

} // namespace

TorchSegment::TorchSegment(const Tensor& types, const Tensor& exclusions, int64_t numTypes, const Tensor& inverseMass,
                           const Tensor& boxes)
    : topology(readTopology(types.cpu(), exclusions.cpu(), numTypes)) {
    problem.topology = &topology;
    problem.inverseMass = toVector(checkedDoubles(inverseMass.cpu(), "inverse_mass", {topology.numAtoms}));
    problem.boxes = readBoxes(boxes.cpu(), boxes.dim() > 0 ? boxes.size(0) : 0);
}

void TorchSegment::setTable(double rMin, double cutoff, int64_t knots) {
    problem.grid = readGrid(rMin, cutoff, knots);
    problem.skin = 0.12 * cutoff;
}

void TorchSegment::setSteps(double timestep, int64_t steps, int64_t frameEvery) {
    problem.timestep = timestep;
    problem.numSteps = checkedInt(steps, "The number of steps");
    problem.frameEvery = checkedInt(frameEvery, "The interval of frames");
}

void TorchSegment::setCheckpoints(int64_t every, int64_t keepFrom) {
    problem.checkpointEvery = checkedInt(every, "The interval of checkpoints");
    problem.keepFrom = checkedInt(keepFrom, "The first step to keep");
}

void TorchSegment::setIntegrator(const std::string& name, const std::vector<int64_t>& settings) {
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
    if (integrator.kind == Integrator::Kind::LangevinMiddle) {
        integrator.seed = static_cast<uint64_t>(settings[0]);
    } else if (integrator.kind == Integrator::Kind::NoseHoover) {
        integrator.degreesOfFreedom = checkedInt(settings[0], "The number of degrees of freedom");
        integrator.chainLength = checkedInt(settings[1], "The length of the chain");
        integrator.numMTS = checkedInt(settings[2], "The number of multiple time steps");
        integrator.numYoshidaSuzuki = checkedInt(settings[3], "The number of Yoshida-Suzuki weights");
    }
    problem.integrator = integrator;
}

void TorchSegment::setSums(double rMin, double cutoff, int64_t knots) {
    problem.frameGrid = readGrid(rMin, cutoff, knots);
}

void TorchSegment::addBonded(const std::string& kind, const Tensor& atoms, bool periodic) {
    BondedForces forces;
    if (kind == "harmonic-angle")
        forces.kind = BondedForces::Kind::HarmonicAngle;
    else if (kind == "periodic-torsion")
        forces.kind = BondedForces::Kind::PeriodicTorsion;
    else
        TORCH_CHECK(kind == "harmonic-bond", "There are no bonded forces '", kind,
                    "', only harmonic-bond, harmonic-angle and periodic-torsion.");
    TORCH_CHECK(atoms.dim() == 2 && atoms.size(1) == forces.atomsOfOne() && atoms.scalar_type() == at::kInt,
                "The particles of a ", kind, " must be int32 of shape [n, ", forces.atomsOfOne(), "], not ", atoms.sizes(), ".");
    const Tensor host = atoms.cpu().contiguous();
    forces.atoms.assign(host.data_ptr<int>(), host.data_ptr<int>() + host.numel());
    forces.periodic = periodic;
    problem.bonded.push_back(std::move(forces));
}

void TorchSegment::setHook(int64_t function, int64_t newUser, double distance, bool central) {
    user = newUser;
    using Function = void (*)(void*, int, const double*, double*, int*);
    problem.hook.forces = [call = reinterpret_cast<Function>(function),
                           user = reinterpret_cast<void*>(newUser)](int replica, const double* x, double* forces) {
        int done = 0;
        call(user, replica, x, forces, &done);
        if (done == 0)
            throw std::runtime_error("Further forces of a segment could not be evaluated.");
    };
    problem.hook.distance = distance;
    problem.hook.central = central;
}

std::vector<std::vector<int64_t>> TorchSegment::shapes() const {
    const int64_t replicas = problem.numReplicas(), atoms = topology.numAtoms;
    return {{replicas, problem.numFrames(), atoms, 3},
            sumsShape(problem),
            {replicas, problem.vectorsKept(), atoms, 3},
            {replicas, problem.numRecords(), problem.integrator.recordSize()}};
}

SegmentProblem TorchSegment::with(const Tensor& coefficients, const Tensor& bath, at::TensorList parameters) const {
    SegmentProblem complete = problem;
    TORCH_CHECK(problem.grid.numKnots > 0, "A segment needs a table: set_table.");
    TORCH_CHECK(coefficients.is_contiguous(), "The coefficients of a segment must be contiguous.");
    complete.coefficients =
        checkedDoubles(coefficients, "coefficients", {numTypePairs(topology.numTypes), problem.grid.numCoefficients()})
            .data_ptr<double>();
    complete.integrator.bath =
        toVector(checkedDoubles(bath, "bath", {problem.numReplicas(), problem.integrator.hasBath() ? 2 : 0}));
    TORCH_CHECK(parameters.size() == problem.bonded.size(), "A segment with ", problem.bonded.size(),
                " kinds of bonded forces needs as many tensors of parameters, not ", parameters.size(), ".");
    for (size_t k = 0; k < parameters.size(); k++) {
        BondedForces& forces = complete.bonded[k];
        TORCH_CHECK(parameters[k].is_contiguous(), "The parameters of bonded forces must be contiguous.");
        forces.parameters =
            checkedDoubles(parameters[k], "parameters", {forces.size(), forces.parametersOfOne()}).data_ptr<double>();
    }
    complete.validate();
    return complete;
}

std::pair<Tensor, Tensor> checkedStart(const Tensor& x0, const Tensor& v0, const SegmentProblem& problem, at::DeviceType device) {
    const Tensor x = checkedVectors(x0, "x0", device), v = checkedVectors(v0, "v0", device);
    const int64_t replicas = problem.numReplicas(), atoms = problem.topology->numAtoms;
    TORCH_CHECK(x.sizes() == at::IntArrayRef({replicas, atoms, 3}) && x.sizes() == v.sizes() &&
                    x.scalar_type() == v.scalar_type(),
                "x0 and v0 must both have the shape [R, N, 3] with R = ", replicas, " boxes and N = ", atoms,
                " particles, and one dtype, not ", x.sizes(), " and ", v.sizes(), ".");
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
