#pragma once
#include "Arguments.h"
#include <c10/util/string_view.h>
#include <optional>

namespace diffpair {

/** The numbers of a segment; owns what a SegmentProblem only points to. */
struct SegmentArguments {
    PairTopology topology;
    at::Tensor coefficients;
    SegmentProblem problem;

    SegmentArguments(const at::Tensor& c, const at::Tensor& bath, const at::Tensor& boxes, const at::Tensor& types,
                     const at::Tensor& exclusions, const at::Tensor& inverseMass, int64_t numTypes, double rMin, double cutoff,
                     double timestep, int64_t steps, int64_t frameEvery, int64_t checkpointEvery, int64_t keepFrom,
                     c10::string_view integrator, at::IntArrayRef settings, at::ArrayRef<double> sumsGrid, int64_t replicas);
    SegmentArguments(const SegmentArguments&) = delete;
};

/** Start states [R, N, 3], contiguous. */
std::pair<at::Tensor, at::Tensor> checkedStart(const at::Tensor& x0, const at::Tensor& v0, const at::Tensor& types,
                                               at::DeviceType device = at::kCPU);

/** Throws if this is not what a segment kept. */
void checkKept(const SegmentProblem& problem, const at::Tensor& kept);

/** Undefined for frames that the loss does not look at: no zeros are made for them. */
at::Tensor framesGradient(const std::optional<at::Tensor>& gradient, const char* name, const SegmentProblem& problem,
                          const at::Tensor& kept);

/** Sums of every frame, [R, F, P, K + 2]; [R, F, P, 0] if there are none. */
std::vector<int64_t> sumsShape(const SegmentProblem& problem);

} // namespace diffpair
