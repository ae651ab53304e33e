// The differentiable segment and its vector-Jacobian product.
#include "SegmentArguments.h"
#include "TorchExecutor.h"
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <optional>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>
segment(const Tensor& x0, const Tensor& v0, const Tensor& coefficients, const Tensor& bath, const Tensor& boxes,
        const Tensor& types, const Tensor& exclusions, const Tensor& inverseMass, int64_t numTypes, double rMin, double cutoff,
        double timestep, int64_t steps, int64_t frameEvery, int64_t checkpointEvery, int64_t keepFrom,
        c10::string_view integrator, at::IntArrayRef settings, at::ArrayRef<double> sumsGrid) {
    const std::pair<Tensor, Tensor> start = checkedStart(x0, v0, types);
    const Tensor &x = start.first, &v = start.second;
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
    checkKept(problem, from);
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
