#pragma once
#include "diffpair/NeighborList.h"
#include "MinimumImage.h"

namespace diffpair {

/**
 * Where a slot's atom stands in arrays that are stored by cluster: x of its four atoms, then y, then z. The y and z of an
 * atom lie yOffset and zOffset behind its x.
 */
constexpr int yOffset = clusterSize, zOffset = 2 * clusterSize;
constexpr int offsetOfSlot(int slot) {
    return slot / clusterSize * 3 * clusterSize + slot % clusterSize;
}
constexpr int slotAtOffset(int offset) {
    return offset / (3 * clusterSize) * clusterSize + offset % clusterSize;
}

/**
 * What a kernel needs to work through rows [rowBegin, rowEnd) of a half list; row k belongs to slot k. Raw pointers only:
 * the kernels are compiled several times for different instruction sets and must not instantiate any code shared with
 * other files. Partners are offsets into the arrays, not slots.
 */
template <class Real> struct PairRows {
    const Real* x;        // [12 * clusters], by cluster
    const int* types;     // [12 * clusters], at the offset of the atom; only read with more than one type
    const int* start;     // [slots + 1]
    const int* neighbors; // [start[slots]]
    int rowBegin, rowEnd;
    const int* firstPiece; // [numTypes * numTypes]: where the pieces of a pair of types begin
    int numTypes;
    const Real* pieces; // [numTypePairs][numPieces][4]; not read by moments
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

/** The kernels of one instruction set. All but search add to their outputs. */
template <class Real> struct PairKernels {
    /** f may be null; sums may be null. */
    void (*forces)(const PairRows<Real>&, Real* f, KernelSums* sums);
    void (*forceAdjoint)(const PairRows<Real>&, const Real* w, Real* jw, double* moments);
    void (*moments)(const PairRows<Real>&, double* moments);
    /**
     * Offsets of the atoms of `clusters` within reach of the atom at offset i go to `out`; returns their number.
     * r2 and out: [4 * numClusters], scratch and result.
     */
    int (*search)(const Real* x, int i, const int* clusters, int numClusters, Real reachSquared, const LoopBox<Real>& box,
                  Real* r2, int* out);
};

/** The fastest kernels this processor can run; DIFFPAIR_ISA=portable|x86-64-v3|x86-64-v4 in the environment overrides. */
template <class Real> const PairKernels<Real>& pairKernels();

template <class Real> PairKernels<Real> portablePairKernels();
#ifdef DIFFPAIR_X86_VARIANTS
template <class Real> PairKernels<Real> v3PairKernels();
template <class Real> PairKernels<Real> v4PairKernels();
#endif

} // namespace diffpair
