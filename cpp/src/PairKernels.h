#pragma once
#include "diffpair/PairLoops.h"
#include "MinimumImage.h"

namespace diffpair {

/**
 * What a kernel needs to work through the rows of clusters [clusterBegin, clusterEnd) of a half list. Raw pointers only:
 * the kernels are compiled several times for different instruction sets and must not instantiate any code shared with
 * other files. Partners are offsets into the arrays of fours, not slots.
 */
template <class Real> struct PairRows {
    const Real* x;           // [slots][4]
    const int64_t* start;    // [rows + 1]
    const int* neighbors;    // [start[rows] + widestPack]
    const char* needsImages; // [rows / clusterSize]: 0 where no pair of these rows reaches across the boundary
    int clusterBegin, clusterEnd;
    const int* firstPiece; // [numTypes * numTypes + widestPack]: offset of the pieces of a pair of types
    int numTypes;
    const Real* pieces; // [numTypePairs][numPieces][4]; not read by moments
    int numPieces;
    Real rMin, inverseSpacing, cutoffSquared;
    LoopBox<Real> box;
    const int* idle; // [widestPack] offsets of slots that belong to no atom
    Real* scratch;   // [scratchVectors * scratchSize]
    int* indexScratch;
    int scratchSize;
};
constexpr int scratchVectors = 6;
constexpr int indexVectors = 2;

/** Which of the candidates lie within reach of each atom of a cluster. */
template <class Real> struct ClusterSearch {
    const Real* x; // [slots][4]
    int cluster;
    const int* candidates; // offsets
    int numCandidates;
    Real reachSquared;
    LoopBox<Real> box;
    bool needsImages;
};

/** The kernels of one instruction set. All but search add to their outputs; f, w and jw are [slots + widestPack][4]. */
template <class Real> struct PairKernels {
    /** f may be null; sums may be null, and then tensor is; tensor may be null. */
    void (*forces)(const PairRows<Real>&, Real* f, PairSums* sums, VirialTensor* tensor);
    void (*forceAdjoint)(const PairRows<Real>&, const Real* w, Real* jw, double* moments);
    void (*moments)(const PairRows<Real>&, double* moments);
    /** rows: one per atom of the cluster, [numCandidates] each; kept: [clusterSize], entries in each. */
    void (*search)(const ClusterSearch<Real>&, int* const* rows, int* kept);
};

/** The fastest kernels this processor can run; DIFFPAIR_ISA in the environment overrides, see PairKernels.cpp. */
template <class Real> const PairKernels<Real>& pairKernels();

template <class Real> PairKernels<Real> portablePairKernels();
#ifdef DIFFPAIR_X86_VARIANTS
template <class Real> PairKernels<Real> v3PairKernels();
template <class Real> PairKernels<Real> v4PairKernels();
#endif

} // namespace diffpair
