#pragma once
#include "diffpair/Segment.h"
#include <ATen/core/Tensor.h>

namespace diffpair {

/** Positions or velocities [.., N, 3], float32 or float64, on the CPU or a GPU. Returns them contiguous. */
at::Tensor checkedVectors(const at::Tensor& vectors, const char* name, at::DeviceType device = at::kCPU);

/** Positions [M, N, 3] of particles that have these types. */
at::Tensor checkedFrames(const at::Tensor& x, const at::Tensor& types, at::DeviceType device = at::kCPU);

/** Throws if distances up to the cutoff cannot be judged in one of the boxes. */
void checkReach(double cutoff, const std::vector<Box>& boxes);

/** Contiguous float64 on the CPU with the given shape (-1: any). */
at::Tensor checkedDoubles(const at::Tensor& values, const char* name, at::IntArrayRef shape);

/** As an int; throws if it is none. */
int checkedInt(int64_t value, const char* name);

/** @param types [N] and exclusions [E, 2], int32 */
PairTopology readTopology(const at::Tensor& types, const at::Tensor& exclusions, int64_t numTypes);

/** @param boxes  [count, 3, 3] float64; a box of zeros means no periodicity */
std::vector<Box> readBoxes(const at::Tensor& boxes, int64_t count);

TableGrid readGrid(double rMin, double cutoff, int64_t numKnots);

} // namespace diffpair
