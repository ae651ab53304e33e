#pragma once
#include "diffpair/PairSystem.h"
#include <cstdint>

namespace diffpair {

/** Evenly spaced bins of distance; a distance is in bin floor((r - low) / width). */
struct HistogramBins {
    double low, high; // nm
    int count;
};

/**
 * Plain histograms of pair distances, frame by frame: counts, so results depend on no order and on no number of threads.
 * Memory is proportional to the number of particles and threads, however long the distances; no list of pairs is kept.
 * Distances are in double precision. Excluded pairs are left out.
 *
 * @param x         [numFrames][numAtoms][3], anywhere (need not be inside the box)
 * @param boxes     [numFrames][9]: rows of the box in reduced form
 * @param threads   frames are dealt out to so many
 * @param counts    [numFrames][numTypePairs][bins.count], overwritten
 * @param shortest  [numFrames][numTypePairs] shortest distance below bins.high, infinity if there is none; overwritten
 * @throws std::invalid_argument  bins.high beyond Box::maxCutoff() of a frame by more than rounding, or a bad topology
 * @throws std::domain_error      a position that is not finite
 */
void countPairs(const PairTopology& topology, const HistogramBins& bins, const double* x, const double* boxes, int numFrames,
                int threads, int64_t* counts, double* shortest);

} // namespace diffpair
