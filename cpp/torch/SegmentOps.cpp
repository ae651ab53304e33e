// The differentiable segment and its vector-Jacobian product.
#include "Arguments.h"
#include "TorchExecutor.h"
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <cmath>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

/** Square-root checkpointing; below ten steps a block would spend its time on list rebuilds. */
int checkpointInterval(int64_t steps) {
    return std::max(10, static_cast<int>(std::ceil(std::sqrt(static_cast<double>(steps)))));
}

/** Number of checkpoints that segment() returns: tracing needs it without running anything. */
int64_t numCheckpoints(int64_t steps) {
    return (steps + checkpointInterval(steps) - 1) / checkpointInterval(steps);
}

/** The numbers of a segment; owns what a SegmentProblem only points to. */
struct SegmentArguments {
    PairTopology topology;
    Tensor coefficients;
    SegmentProblem problem;

    SegmentArguments(const Tensor& c, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                     const Tensor& inverseMass, int64_t numTypes, double rMin, double cutoff, double timestep, int64_t steps,
                     int64_t frameEvery, int64_t replicas)
        : topology(readTopology(types, exclusions, numTypes)),
          coefficients(checkedDoubles(c, "coefficients", {numTypePairs(static_cast<int>(numTypes)), -1})) {
        const Tensor mass = checkedDoubles(inverseMass, "inverse_mass", {topology.numAtoms});
        problem.topology = &topology;
        problem.boxes = readBoxes(boxes, replicas);
        problem.inverseMass.assign(mass.data_ptr<double>(), mass.data_ptr<double>() + mass.numel());
        problem.grid = readGrid(rMin, cutoff, coefficients.size(1) - 2);
        problem.coefficients = coefficients.data_ptr<double>();
        problem.timestep = timestep;
        problem.numSteps = static_cast<int>(steps);
        problem.frameEvery = static_cast<int>(frameEvery);
        problem.checkpointEvery = checkpointInterval(steps);
        problem.skin = 0.12 * cutoff;
        problem.validate();
    }
    SegmentArguments(const SegmentArguments&) = delete;
};

std::tuple<Tensor, Tensor, Tensor> segment(const Tensor& x0, const Tensor& v0, const Tensor& coefficients, const Tensor& boxes,
                                           const Tensor& types, const Tensor& exclusions, const Tensor& inverseMass,
                                           int64_t numTypes, double rMin, double cutoff, double timestep, int64_t steps,
                                           int64_t frameEvery) {
    const Tensor x = checkedVectors(x0, "x0"), v = checkedVectors(v0, "v0");
    TORCH_CHECK(x.dim() == 3 && x.sizes() == v.sizes() && x.scalar_type() == v.scalar_type() && x.size(1) == types.numel(),
                "x0 and v0 must both have the shape [R, N, 3] with N = ", types.numel(), " and one dtype, not ", x.sizes(),
                " and ", v.sizes(), ".");
    const SegmentArguments args(coefficients, boxes, types, exclusions, inverseMass, numTypes, rMin, cutoff, timestep, steps,
                                frameEvery, x.size(0));
    const SegmentProblem& problem = args.problem;
    const int64_t replicas = x.size(0), atoms = x.size(1);
    Tensor framesX = at::empty({replicas, problem.numFrames(), atoms, 3}, x.options()), framesV = at::empty_like(framesX);
    Tensor checkpoints = at::empty({replicas, problem.numCheckpoints(), 2, atoms, 3}, x.options());
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "diffpair::segment", [&] {
        runSegment<scalar_t>(problem, x.data_ptr<scalar_t>(), v.data_ptr<scalar_t>(), framesX.data_ptr<scalar_t>(),
                             framesV.data_ptr<scalar_t>(), checkpoints.data_ptr<scalar_t>(), executor);
    });
    return {framesX, framesV, checkpoints};
}

std::tuple<Tensor, Tensor, Tensor> segmentBackward(const Tensor& gradX, const Tensor& gradV, const Tensor& checkpoints,
                                                   const Tensor& coefficients, const Tensor& boxes, const Tensor& types,
                                                   const Tensor& exclusions, const Tensor& inverseMass, int64_t numTypes,
                                                   double rMin, double cutoff, double timestep, int64_t steps,
                                                   int64_t frameEvery) {
    const Tensor gx = checkedVectors(gradX, "gradient of x"), gv = checkedVectors(gradV, "gradient of v");
    const Tensor from = checkedVectors(checkpoints, "checkpoints");
    const SegmentArguments args(coefficients, boxes, types, exclusions, inverseMass, numTypes, rMin, cutoff, timestep, steps,
                                frameEvery, gx.size(0));
    Tensor x0 = at::empty({gx.size(0), gx.size(2), 3}, gx.options()), v0 = at::empty_like(x0),
           c = at::empty_like(args.coefficients);
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(gx.scalar_type(), "diffpair::segment_backward", [&] {
        runSegmentAdjoint<scalar_t>(args.problem, from.data_ptr<scalar_t>(), gx.data_ptr<scalar_t>(), gv.data_ptr<scalar_t>(),
                                    x0.data_ptr<scalar_t>(), v0.data_ptr<scalar_t>(), c.data_ptr<double>(), executor);
    });
    return {x0, v0, c};
}

} // namespace

TORCH_LIBRARY_IMPL(diffpair, CatchAll, m) {
    m.impl("segment_checkpoints", numCheckpoints);
}

TORCH_LIBRARY_IMPL(diffpair, CPU, m) {
    m.impl("segment", segment);
    m.impl("segment_backward", segmentBackward);
}

} // namespace diffpair
