#pragma once
#include "DeviceMemory.h"
#include "diffpair/Segment.h"

struct CUstream_st; // of cuda_runtime.h, so that callers need none of its headers

namespace diffpair::cuda {

using Stream = CUstream_st*;

// The operators on one GPU, in plain C++; float and double. Arguments say where they lie: on the device or on the host. They
// return when the results on the host are there. Sums are added in a fixed order: the same bits every time.
// All throw std::domain_error if a position is not finite, and std::runtime_error with CUDA's own words.

/**
 * Sums over pairs of B_k(r).
 *
 * @param x     device, [M, N, 3]
 * @param sums  host, [M, numTypePairs, numCoefficients], overwritten
 */
template <class Real>
void splineSums(const PairTopology& topology, const std::vector<Box>& boxes, const TableGrid& grid, const Real* x, double* sums,
                Stream stream, DeviceMemory& memory);

/**
 * @param coefficients    host, [numTables, numTypePairs, numCoefficients]; numTables is 1 or M
 * @param x, forces       device, [M, N, 3]; forces overwritten
 * @param energy, virial  host, [M], overwritten
 */
template <class Real>
void pairForces(const PairTopology& topology, const std::vector<Box>& boxes, const TableGrid& grid, const double* coefficients,
                int numTables, const Real* x, Real* forces, double* energy, double* virial, Stream stream, DeviceMemory& memory);

/** As runSegment of Segment.h; arrays on the device, those of the problem on the host. */
template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* kept,
                double* records, Stream stream, DeviceMemory& memory);

/** As runSegmentAdjoint of Segment.h; arrays on the device, but gradCoefficients and gradBath on the host. */
template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* kept, const double* records, const Real* gradFramesX,
                       const Real* gradFramesV, Real* gradX0, Real* gradV0, double* gradCoefficients, double* gradBath,
                       Stream stream, DeviceMemory& memory);

} // namespace diffpair::cuda
