// The differentiable segment and its vector-Jacobian product.
#include "Arguments.h"
#include "TorchExecutor.h"
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <optional>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

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
        integrator.degreesOfFreedom = static_cast<int>(settings[0]);
        integrator.chainLength = static_cast<int>(settings[1]);
        integrator.numMTS = static_cast<int>(settings[2]);
        integrator.numYoshidaSuzuki = static_cast<int>(settings[3]);
    }
    return integrator;
}

/** The numbers of a segment; owns what a SegmentProblem only points to. */
struct SegmentArguments {
    PairTopology topology;
    Tensor coefficients;
    SegmentProblem problem;

    SegmentArguments(const Tensor& c, const Tensor& bath, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                     const Tensor& inverseMass, int64_t numTypes, double rMin, double cutoff, double timestep, int64_t steps,
                     int64_t frameEvery, int64_t checkpointEvery, int64_t keepFrom, c10::string_view integrator,
                     at::IntArrayRef settings, at::ArrayRef<double> sumsGrid, int64_t replicas)
        : topology(readTopology(types, exclusions, numTypes)),
          coefficients(checkedDoubles(c, "coefficients", {numTypePairs(static_cast<int>(numTypes)), -1})) {
        const Tensor mass = checkedDoubles(inverseMass, "inverse_mass", {topology.numAtoms});
        problem.topology = &topology;
        problem.boxes = readBoxes(boxes, replicas);
        problem.inverseMass.assign(mass.data_ptr<double>(), mass.data_ptr<double>() + mass.numel());
        problem.grid = readGrid(rMin, cutoff, coefficients.size(1) - 2);
        problem.coefficients = coefficients.data_ptr<double>();
        problem.integrator = readIntegrator(bath, integrator, settings, replicas);
        problem.timestep = timestep;
        problem.numSteps = static_cast<int>(steps);
        problem.frameEvery = static_cast<int>(frameEvery);
        problem.checkpointEvery = static_cast<int>(checkpointEvery);
        problem.keepFrom = static_cast<int>(keepFrom);
        problem.skin = 0.12 * cutoff;
        TORCH_CHECK(sumsGrid.empty() || sumsGrid.size() == 3, "A grid of sums is r_min, cutoff and number of knots.");
        if (!sumsGrid.empty())
            problem.frameGrid = readGrid(sumsGrid[0], sumsGrid[1], static_cast<int64_t>(sumsGrid[2]));
        problem.validate();
    }
    SegmentArguments(const SegmentArguments&) = delete;
};

/** Sums of every frame, [R, F, P, K + 2]; [R, F, P, 0] if there are none. */
std::vector<int64_t> sumsShape(const SegmentProblem& problem) {
    const int64_t pairs = numTypePairs(problem.topology->numTypes);
    return {problem.numReplicas(), problem.numFrames(), pairs, static_cast<int64_t>(problem.sumsOfFrame()) / pairs};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>
segment(const Tensor& x0, const Tensor& v0, const Tensor& coefficients, const Tensor& bath, const Tensor& boxes,
        const Tensor& types, const Tensor& exclusions, const Tensor& inverseMass, int64_t numTypes, double rMin, double cutoff,
        double timestep, int64_t steps, int64_t frameEvery, int64_t checkpointEvery, int64_t keepFrom,
        c10::string_view integrator, at::IntArrayRef settings, at::ArrayRef<double> sumsGrid) {
    const Tensor x = checkedVectors(x0, "x0"), v = checkedVectors(v0, "v0");
    TORCH_CHECK(x.dim() == 3 && x.sizes() == v.sizes() && x.scalar_type() == v.scalar_type() && x.size(1) == types.numel(),
                "x0 and v0 must both have the shape [R, N, 3] with N = ", types.numel(), " and one dtype, not ", x.sizes(),
                " and ", v.sizes(), ".");
    const int64_t replicas = x.size(0), atoms = x.size(1);
    const SegmentArguments args(coefficients, bath, boxes, types, exclusions, inverseMass, numTypes, rMin, cutoff, timestep,
                                steps, frameEvery, checkpointEvery, keepFrom, integrator, settings, sumsGrid, replicas);
    const SegmentProblem& problem = args.problem;
    Tensor framesX = at::empty({replicas, problem.numFrames(), atoms, 3}, x.options()), framesV = at::empty_like(framesX);
    Tensor kept = at::empty({replicas, problem.vectorsKept(), atoms, 3}, x.options());
    Tensor records = at::empty({replicas, problem.numRecords(), problem.integrator.recordSize()}, x.options().dtype(at::kDouble));
    Tensor sums = at::empty(sumsShape(problem), records.options());
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "diffpair::segment", [&] {
        runSegment<scalar_t>(problem, x.data_ptr<scalar_t>(), v.data_ptr<scalar_t>(), framesX.data_ptr<scalar_t>(),
                             framesV.data_ptr<scalar_t>(), kept.data_ptr<scalar_t>(), records.data_ptr<double>(),
                             sums.data_ptr<double>(), executor);
    });
    return {framesX, framesV, sums, kept, records};
}

/** Undefined for frames that the loss does not look at: no zeros are made for them. */
Tensor framesGradient(const std::optional<Tensor>& gradient, const char* name, const SegmentProblem& problem,
                      const Tensor& kept) {
    if (!gradient.has_value() || !gradient->defined())
        return Tensor();
    const Tensor g = checkedVectors(*gradient, name);
    TORCH_CHECK(g.sizes() == at::IntArrayRef({kept.size(0), problem.numFrames(), kept.size(2), 3}) &&
                    g.scalar_type() == kept.scalar_type(),
                "The ", name, " must have the shape [R, F, N, 3] and the dtype of x, not ", g.sizes(), " and ", g.scalar_type(),
                ".");
    return g;
}

std::tuple<Tensor, Tensor, Tensor, Tensor>
segmentBackward(const std::optional<Tensor>& gradX, const std::optional<Tensor>& gradV, const std::optional<Tensor>& gradSums,
                const std::optional<Tensor>& x, const Tensor& kept, const Tensor& records, const Tensor& coefficients,
                const Tensor& bath, const Tensor& boxes, const Tensor& types, const Tensor& exclusions, const Tensor& inverseMass,
                int64_t numTypes, double rMin, double cutoff, double timestep, int64_t steps, int64_t frameEvery,
                int64_t checkpointEvery, int64_t keepFrom, c10::string_view integrator, at::IntArrayRef settings,
                at::ArrayRef<double> sumsGrid) {
    const Tensor from = checkedVectors(kept, "kept");
    TORCH_CHECK(from.dim() == 4, "kept must have the shape [R, .., N, 3], not ", from.sizes(), ".");
    const int64_t replicas = from.size(0), atoms = from.size(2);
    const SegmentArguments args(coefficients, bath, boxes, types, exclusions, inverseMass, numTypes, rMin, cutoff, timestep,
                                steps, frameEvery, checkpointEvery, keepFrom, integrator, settings, sumsGrid, replicas);
    const SegmentProblem& problem = args.problem;
    const Tensor bathRecords =
        checkedDoubles(records, "records", {replicas, problem.numRecords(), problem.integrator.recordSize()});
    TORCH_CHECK(from.size(1) == problem.vectorsKept() && atoms == types.numel(), "What a segment kept must go back unchanged.");
    const Tensor gx = framesGradient(gradX, "gradient of x", problem, from);
    const Tensor gv = framesGradient(gradV, "gradient of v", problem, from);
    Tensor gs, framesX;
    if (gradSums.has_value() && gradSums->defined() && problem.hasFrameSums()) {
        gs = checkedDoubles(*gradSums, "gradient of the sums", sumsShape(problem));
        framesX = framesGradient(x, "frames x", problem, from);
        TORCH_CHECK(framesX.defined(), "The gradient of sums needs the frames they were made of.");
    }
    Tensor x0 = at::empty({replicas, atoms, 3}, from.options()), v0 = at::empty_like(x0), c = at::empty_like(args.coefficients),
           gradBath = at::empty(bath.sizes(), bath.options());
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(from.scalar_type(), "diffpair::segment_backward", [&] {
        const auto pointer = [](const Tensor& t) { return t.defined() ? t.data_ptr<scalar_t>() : nullptr; };
        const FrameGradients<scalar_t> gradients = {pointer(gx), pointer(gv), gs.defined() ? gs.data_ptr<double>() : nullptr,
                                                    pointer(framesX)};
        runSegmentAdjoint<scalar_t>(problem, from.data_ptr<scalar_t>(), bathRecords.data_ptr<double>(), gradients,
                                    x0.data_ptr<scalar_t>(), v0.data_ptr<scalar_t>(), c.data_ptr<double>(),
                                    gradBath.data_ptr<double>(), executor);
    });
    return {x0, v0, c, gradBath};
}

} // namespace

TORCH_LIBRARY_IMPL(diffpair, CPU, m) {
    m.impl("segment", segment);
    m.impl("segment_backward", segmentBackward);
}

} // namespace diffpair
