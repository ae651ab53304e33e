// The operators for x and v on a GPU; built where torch has CUDA. All other tensors may be on either device: they are small,
// and taken to the host. Gradients go back to where their tensors are.
#include "../TorchSegment.h"
#include "Operators.h"
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

/** Scratch memory from torch's allocator. */
class TorchMemory : public cuda::DeviceMemory {
public:
    explicit TorchMemory(at::Device device) : options(at::TensorOptions().device(device).dtype(at::kByte)) {
    }
    void* allocate(size_t bytes) override {
        blocks.push_back(at::empty({static_cast<int64_t>(bytes)}, options));
        return blocks.back().data_ptr();
    }

private:
    const at::TensorOptions options;
    std::vector<Tensor> blocks;
};

/** The device of a tensor as the current one, its stream and its memory. */
struct Gpu {
    c10::DeviceGuard guard;
    TorchMemory memory;
    cuda::Stream stream;
    explicit Gpu(const Tensor& x)
        : guard(x.device()), memory(x.device()), stream(c10::cuda::getCurrentCUDAStream(x.device().index()).stream()) {
    }
};

Tensor splineSums(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions, int64_t numTypes,
                  double rMin, double cutoff, int64_t knots) {
    const Tensor frames = checkedFrames(x, types, at::kCUDA);
    const TableGrid grid = readGrid(rMin, cutoff, knots);
    const PairTopology topology = readTopology(types.cpu(), exclusions.cpu(), numTypes);
    const std::vector<Box> box = readBoxes(boxes.cpu(), frames.size(0));
    checkReach(grid.cutoff, box);
    Tensor sums = at::empty({frames.size(0), numTypePairs(topology.numTypes), grid.numCoefficients()}, at::kDouble);
    Gpu gpu(frames);
    AT_DISPATCH_FLOATING_TYPES(frames.scalar_type(), "diffpair::spline_sums", [&] {
        cuda::splineSums<scalar_t>(topology, box, grid, frames.data_ptr<scalar_t>(), sums.data_ptr<double>(), gpu.stream,
                                   gpu.memory);
    });
    return sums.to(x.device());
}

std::tuple<Tensor, Tensor, Tensor> pairForces(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                                              int64_t numTypes, double rMin, double cutoff, const Tensor& coefficients) {
    const Tensor frames = checkedFrames(x, types, at::kCUDA);
    const PairTopology topology = readTopology(types.cpu(), exclusions.cpu(), numTypes);
    const int64_t numFrames = frames.size(0), numPairs = numTypePairs(topology.numTypes);
    const bool perFrame = coefficients.dim() == 3;
    const Tensor c = perFrame ? checkedDoubles(coefficients.cpu(), "coefficients", {numFrames, numPairs, -1})
                              : checkedDoubles(coefficients.cpu(), "coefficients", {numPairs, -1});
    const TableGrid grid = readGrid(rMin, cutoff, c.size(-1) - 2);
    const std::vector<Box> box = readBoxes(boxes.cpu(), numFrames);
    checkReach(grid.cutoff, box);
    Tensor forces = at::empty_like(frames), energy = at::empty({numFrames}, at::kDouble), virial = at::empty_like(energy);
    Gpu gpu(frames);
    AT_DISPATCH_FLOATING_TYPES(frames.scalar_type(), "diffpair::pair_forces", [&] {
        cuda::pairForces<scalar_t>(topology, box, grid, c.data_ptr<double>(), perFrame ? static_cast<int>(numFrames) : 1,
                                   frames.data_ptr<scalar_t>(), forces.data_ptr<scalar_t>(), energy.data_ptr<double>(),
                                   virial.data_ptr<double>(), gpu.stream, gpu.memory);
    });
    return {forces, energy.to(x.device()), virial.to(x.device())};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> segment(const Tensor& x0, const Tensor& v0, const Tensor& coefficients,
                                                           const Tensor& bath, at::TensorList parameters,
                                                           const TorchSegmentPtr& segment) {
    const Tensor c = coefficients.cpu().contiguous();
    const SegmentProblem problem = segment->with(c, bath.cpu(), parameters);
    const std::pair<Tensor, Tensor> start = checkedStart(x0, v0, problem, at::kCUDA);
    const Tensor &x = start.first, &v = start.second;
    TORCH_CHECK(!problem.hasFrameSums(), "On a GPU a segment takes no sums on its way: take them from its frames.");
    const auto shapes = segment->shapes();
    const at::TensorOptions doubles = x.options().dtype(at::kDouble);
    Tensor framesX = at::empty(shapes[0], x.options()), framesV = at::empty_like(framesX);
    Tensor kept = at::empty(shapes[2], x.options()), records = at::empty(shapes[3], doubles);
    Gpu gpu(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "diffpair::segment", [&] {
        cuda::runSegment<scalar_t>(problem, x.data_ptr<scalar_t>(), v.data_ptr<scalar_t>(), framesX.data_ptr<scalar_t>(),
                                   framesV.data_ptr<scalar_t>(), kept.data_ptr<scalar_t>(), records.data_ptr<double>(),
                                   gpu.stream, gpu.memory);
    });
    return {framesX, framesV, at::empty(shapes[1], doubles), kept, records};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, std::vector<Tensor>>
segmentBackward(const std::optional<Tensor>& gradX, const std::optional<Tensor>& gradV, const std::optional<Tensor>&,
                const std::optional<Tensor>&, const Tensor& kept, const Tensor& records, const Tensor& coefficients,
                const Tensor& bath, at::TensorList parameters, const TorchSegmentPtr& segment) {
    const Tensor from = checkedVectors(kept, "kept", at::kCUDA), bathRecords = records.contiguous(),
                 onHost = coefficients.cpu().contiguous();
    const SegmentProblem problem = segment->with(onHost, bath.cpu(), parameters);
    const auto shapes = segment->shapes();
    checkKept(problem, from);
    const auto gradientOf = [&](const std::optional<Tensor>& gradient, const char* name) {
        const Tensor g = framesGradient(gradient, name, problem, from);
        return g.defined() ? g : at::zeros(shapes[0], from.options());
    };
    const Tensor gx = gradientOf(gradX, "gradient of x"), gv = gradientOf(gradV, "gradient of v");
    TORCH_CHECK(bathRecords.is_cuda() && bathRecords.scalar_type() == at::kDouble &&
                    bathRecords.sizes() == at::IntArrayRef(shapes[3]),
                "The records of a segment must go back unchanged.");
    Tensor x0 = at::empty({from.size(0), from.size(2), 3}, gx.options()), v0 = at::empty_like(x0), c = at::empty_like(onHost),
           gradBath = at::empty(bath.sizes(), at::kDouble);
    Gpu gpu(gx);
    AT_DISPATCH_FLOATING_TYPES(gx.scalar_type(), "diffpair::segment_backward", [&] {
        cuda::runSegmentAdjoint<scalar_t>(problem, from.data_ptr<scalar_t>(), bathRecords.data_ptr<double>(),
                                          gx.data_ptr<scalar_t>(), gv.data_ptr<scalar_t>(), x0.data_ptr<scalar_t>(),
                                          v0.data_ptr<scalar_t>(), c.data_ptr<double>(), gradBath.data_ptr<double>(), gpu.stream,
                                          gpu.memory);
    });
    return {x0, v0, c.to(coefficients.device()), gradBath.to(bath.device()), {}};
}

} // namespace

TORCH_LIBRARY_IMPL(diffpair, CUDA, m) {
    m.impl("spline_sums", splineSums);
    m.impl("pair_forces", pairForces);
    m.impl("segment", segment);
    m.impl("segment_backward", segmentBackward);
}

} // namespace diffpair
