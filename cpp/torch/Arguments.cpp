#include "Arguments.h"
#include <c10/util/Exception.h>
#include <limits>

namespace diffpair {

at::Tensor checkedVectors(const at::Tensor& vectors, const char* name, at::DeviceType device) {
    TORCH_CHECK(vectors.device().type() == device, name, " must be on ", device == at::kCPU ? "the CPU" : "a GPU", ", not on ",
                vectors.device(), ".");
    TORCH_CHECK(vectors.scalar_type() == at::kFloat || vectors.scalar_type() == at::kDouble, name,
                " must be float32 or float64, not ", vectors.scalar_type(), ".");
    TORCH_CHECK(vectors.dim() >= 3 && vectors.size(-1) == 3, name, " must have the shape [.., N, 3], not ", vectors.sizes(), ".");
    return vectors.contiguous();
}

at::Tensor checkedFrames(const at::Tensor& x, const at::Tensor& types, at::DeviceType device) {
    const at::Tensor frames = checkedVectors(x, "x", device);
    TORCH_CHECK(frames.dim() == 3 && frames.size(1) == types.numel(), "x must have the shape [M, N, 3] with N = ", types.numel(),
                ", not ", frames.sizes(), ".");
    return frames;
}

void checkReach(double cutoff, const std::vector<Box>& boxes) {
    for (const Box& box : boxes)
        TORCH_CHECK(!box.periodic || cutoff <= box.maxCutoff() * (1 + 1e-12), "Distances up to ", cutoff,
                    " nm are beyond half the periodic box (", box.maxCutoff(), " nm).");
}

at::Tensor checkedDoubles(const at::Tensor& values, const char* name, at::IntArrayRef shape) {
    TORCH_CHECK(values.device().is_cpu() && values.scalar_type() == at::kDouble, name, " must be float64 on the CPU.");
    bool fits = values.dim() == static_cast<int64_t>(shape.size());
    for (size_t d = 0; fits && d < shape.size(); d++)
        fits = shape[d] < 0 || shape[d] == values.size(d);
    TORCH_CHECK(fits, name, " must have the shape ", shape, " (-1: any), not ", values.sizes(), ".");
    return values.contiguous();
}

int checkedInt(int64_t value, const char* name) {
    TORCH_CHECK(value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max(), name,
                " must be below 2^31, but is ", value, ".");
    return static_cast<int>(value);
}

PairTopology readTopology(const at::Tensor& types, const at::Tensor& exclusions, int64_t numTypes) {
    TORCH_CHECK(types.dim() == 1 && types.scalar_type() == at::kInt, "types must be int32 of shape [N], not ", types.sizes(),
                ".");
    TORCH_CHECK(exclusions.dim() == 2 && exclusions.size(1) == 2 && exclusions.scalar_type() == at::kInt,
                "exclusions must be int32 of shape [E, 2], not ", exclusions.sizes(), ".");
    const at::Tensor t = types.contiguous(), e = exclusions.contiguous();
    PairTopology topology;
    topology.numAtoms = checkedInt(t.numel(), "The number of particles");
    topology.numTypes = checkedInt(numTypes, "The number of types");
    topology.types.assign(t.data_ptr<int>(), t.data_ptr<int>() + t.numel());
    topology.validate();
    if (e.numel() > 0)
        topology.exclusions = Exclusions(topology.numAtoms, {e.data_ptr<int>(), e.data_ptr<int>() + e.numel()});
    return topology;
}

std::vector<Box> readBoxes(const at::Tensor& boxes, int64_t count) {
    const at::Tensor b = checkedDoubles(boxes, "boxes", {count, 3, 3});
    std::vector<Box> result;
    for (int64_t i = 0; i < count; i++) {
        const double* rows = b.data_ptr<double>() + 9 * i;
        const bool none = rows[0] == 0 && rows[4] == 0 && rows[8] == 0;
        result.push_back(none ? Box::none() : Box::fromVectors(rows));
    }
    return result;
}

TableGrid readGrid(double rMin, double cutoff, int64_t numKnots) {
    TableGrid grid;
    grid.rMin = rMin;
    grid.cutoff = cutoff;
    grid.numKnots = checkedInt(numKnots, "The number of knots");
    grid.validateSize(); // no more: a grid of RDF bins may start below zero
    return grid;
}

} // namespace diffpair
