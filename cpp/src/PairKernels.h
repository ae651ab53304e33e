#pragma once
#include "MinimumImage.h"

namespace diffpair {

/**
 * What a kernel needs to work through rows [rowBegin, rowEnd) of a half list. Raw pointers only: the kernels are
 * compiled several times for different instruction sets and must not instantiate any code shared with other files.
 */
template <class Real> struct PairRows {
    const Real* x;        // [3 N]
    const int* types;     // [N]
    const int* start;     // [N + 1]
    const int* neighbors; // [start[N]]
    int rowBegin, rowEnd;
    const int* pairOf; // [numTypes * numTypes]: row of the pair in the table
    int numTypes;
    const Real* pieces; // [numTypePairs][numPieces][4]; unused by moments
    int numPieces;
    Real rMin, inverseSpacing, cutoffSquared;
    LoopBox<Real> box;
    Real* scratch; // [scratchVectors * longestRow]
    int* indexScratch;
    int longestRow;
};
constexpr int scratchVectors = 8;
constexpr int indexVectors = 2;

/** Sums of one block. */
struct KernelSums {
    double energy, virial;
    long belowRMin;
};

/** The kernels of one instruction set. All add to their outputs. */
template <class Real> struct PairKernels {
    /** f may be null; sums may be null. */
    void (*forces)(const PairRows<Real>&, Real* f, KernelSums* sums);
    void (*forceAdjoint)(const PairRows<Real>&, const Real* w, Real* jw, double* moments);
    void (*moments)(const PairRows<Real>&, double* moments);
};

/** The fastest kernels this processor can run; DIFFPAIR_ISA=portable|x86-64-v3|x86-64-v4 in the environment overrides. */
template <class Real> const PairKernels<Real>& pairKernels();

template <class Real> PairKernels<Real> portablePairKernels();
#ifdef DIFFPAIR_X86_VARIANTS
template <class Real> PairKernels<Real> v3PairKernels();
template <class Real> PairKernels<Real> v4PairKernels();
#endif

} // namespace diffpair
