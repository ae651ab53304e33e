// The differentiable segment and its vector-Jacobian product.
#include "TorchExecutor.h"
#include "TorchSegment.h"
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <optional>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

std::vector<Tensor> contiguous(at::TensorList tensors) {
    std::vector<Tensor> result;
    for (const Tensor& one : tensors)
        result.push_back(one.contiguous());
    return result;
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> segment(const Tensor& x0, const Tensor& v0, const Tensor& coefficients,
                                                           const Tensor& bath, at::TensorList parameters,
                                                           const TorchSegmentPtr& segment) {
    const Tensor c = coefficients.contiguous();
    const std::vector<Tensor> p = contiguous(parameters);
    const SegmentProblem problem = segment->with(c, bath, p);
    const std::pair<Tensor, Tensor> start = checkedStart(x0, v0, problem);
    const Tensor &x = start.first, &v = start.second;
    const auto shapes = segment->shapes();
    Tensor framesX = at::empty(shapes[0], x.options()), framesV = at::empty_like(framesX);
    Tensor sums = at::empty(shapes[1], at::kDouble), kept = at::empty(shapes[2], x.options()),
           records = at::empty(shapes[3], at::kDouble);
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "diffpair::segment", [&] {
        runSegment<scalar_t>(problem, x.data_ptr<scalar_t>(), v.data_ptr<scalar_t>(), framesX.data_ptr<scalar_t>(),
                             framesV.data_ptr<scalar_t>(), kept.data_ptr<scalar_t>(), records.data_ptr<double>(),
                             sums.data_ptr<double>(), executor);
    });
    return {framesX, framesV, sums, kept, records};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, std::vector<Tensor>>
segmentBackward(const std::optional<Tensor>& gradX, const std::optional<Tensor>& gradV, const std::optional<Tensor>& gradSums,
                const std::optional<Tensor>& x, const Tensor& kept, const Tensor& records, const Tensor& coefficients,
                const Tensor& bath, at::TensorList parameters, const TorchSegmentPtr& segment) {
    const Tensor from = checkedVectors(kept, "kept"), c = coefficients.contiguous();
    const std::vector<Tensor> p = contiguous(parameters);
    const SegmentProblem problem = segment->with(c, bath, p);
    const auto shapes = segment->shapes();
    const Tensor bathRecords = checkedDoubles(records, "records", shapes[3]);
    checkKept(problem, from);
    const Tensor gx = framesGradient(gradX, "gradient of x", problem, from);
    const Tensor gv = framesGradient(gradV, "gradient of v", problem, from);
    Tensor gs, framesX;
    if (gradSums.has_value() && gradSums->defined() && problem.hasFrameSums()) {
        gs = checkedDoubles(*gradSums, "gradient of the sums", shapes[1]);
        framesX = framesGradient(x, "frames x", problem, from);
        TORCH_CHECK(framesX.defined(), "The gradient of sums needs the frames they were made of.");
    }
    Tensor x0 = at::empty({from.size(0), from.size(2), 3}, from.options()), v0 = at::empty_like(x0),
           gradBath = at::empty(bath.sizes(), bath.options());
    std::vector<double> ofParameters(problem.numParameters());
    TorchExecutor executor;
    AT_DISPATCH_FLOATING_TYPES(from.scalar_type(), "diffpair::segment_backward", [&] {
        const auto pointer = [](const Tensor& t) { return t.defined() ? t.data_ptr<scalar_t>() : nullptr; };
        const FrameGradients<scalar_t> gradients = {pointer(gx), pointer(gv), gs.defined() ? gs.data_ptr<double>() : nullptr,
                                                    pointer(framesX)};
        runSegmentAdjoint<scalar_t>(problem, from.data_ptr<scalar_t>(), bathRecords.data_ptr<double>(), gradients,
                                    x0.data_ptr<scalar_t>(), v0.data_ptr<scalar_t>(), ofParameters.data(),
                                    gradBath.data_ptr<double>(), executor);
    });
    const double* next = ofParameters.data();
    const auto take = [&next](const Tensor& like) {
        Tensor gradient = at::empty_like(like);
        std::copy_n(next, like.numel(), gradient.data_ptr<double>());
        next += like.numel();
        return gradient;
    };
    Tensor gradCoefficients = take(c);
    std::vector<Tensor> gradParameters;
    for (const Tensor& one : p)
        gradParameters.push_back(take(one));
    return {x0, v0, gradCoefficients, gradBath, gradParameters};
}

} // namespace

TORCH_LIBRARY_FRAGMENT(diffpair, m) {
    m.class_<TorchSegment>("SegmentProblem")
        .def(torch::init<const Tensor&, const Tensor&, int64_t, const Tensor&, const Tensor&>(), "",
             {torch::arg("types"), torch::arg("exclusions"), torch::arg("num_types"), torch::arg("inverse_mass"),
              torch::arg("boxes")})
        .def("set_table", &TorchSegment::setTable)
        .def("set_steps", &TorchSegment::setSteps)
        .def("set_checkpoints", &TorchSegment::setCheckpoints)
        .def("set_integrator", &TorchSegment::setIntegrator)
        .def("set_sums", &TorchSegment::setSums)
        .def("add_bonded", &TorchSegment::addBonded)
        .def("set_hook", &TorchSegment::setHook)
        .def("hook_user", &TorchSegment::hookUser)
        .def("has_further_forces", &TorchSegment::hasFurtherForces)
        .def("has_sums", &TorchSegment::hasSums)
        .def("shapes", &TorchSegment::shapes)
        // Tracing. Fake kernels get the object itself, since they only ask for shapes; it holds no tensors that torch would
        // have to follow; two of them are the same if they are one.
        .def("tracing_mode", [](const TorchSegmentPtr&) { return std::string("real"); })
        .def("__len__", [](const TorchSegmentPtr&) { return int64_t(0); })
        .def("__eq__", [](const TorchSegmentPtr& self, const TorchSegmentPtr& other) { return self == other; });
    m.def("segment(Tensor x0, Tensor v0, Tensor coefficients, Tensor bath, Tensor[] parameters, "
          "__torch__.torch.classes.diffpair.SegmentProblem "
          "problem) -> (Tensor x, Tensor v, Tensor sums, Tensor kept, Tensor records)");
    m.def("segment_backward(Tensor? grad_x, Tensor? grad_v, Tensor? grad_sums, Tensor? x, Tensor kept, Tensor records, "
          "Tensor coefficients, Tensor bath, Tensor[] parameters, __torch__.torch.classes.diffpair.SegmentProblem problem) -> "
          "(Tensor x0, "
          "Tensor v0, Tensor coefficients, Tensor bath, Tensor[] parameters)");
}

TORCH_LIBRARY_IMPL(diffpair, CPU, m) {
    m.impl("segment", segment);
    m.impl("segment_backward", segmentBackward);
}

} // namespace diffpair
