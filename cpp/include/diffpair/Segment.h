#pragma once
#include "diffpair/PairLoops.h"

namespace diffpair {

/** A short differentiable trajectory of R independent replicas with one table. */
struct SegmentProblem {
    const PairTopology* topology = nullptr;
    std::vector<Box> boxes;          // [R]
    std::vector<double> inverseMass; // [N], 1/amu; 0 holds an atom fixed
    TableGrid grid;
    const double* coefficients = nullptr; // [numTypePairs * grid.numCoefficients()]
    double timestep = 0;                  // ps
    int numSteps = 0;
    int frameEvery = 1;      // a frame after every so many steps; the start is not a frame
    int checkpointEvery = 1; // state is kept, and the neighbour list rebuilt, every so many steps
    double skin = 0.1;       // nm

    int numReplicas() const {
        return static_cast<int>(boxes.size());
    }
    int numFrames() const {
        return numSteps / frameEvery;
    }
    int numCheckpoints() const {
        return (numSteps + checkpointEvery - 1) / checkpointEvery;
    }
    /** Throws std::invalid_argument with one sentence. */
    void validate() const;
};

/**
 * Run the leapfrog scheme of OpenMM's VerletIntegrator: v <- v + (dt/m) F(x), x <- x + dt v.
 *
 * @param x0, v0       [R, N, 3], nm and nm/ps; v0 is OpenMM's half-step velocity v(-dt/2)
 * @param framesX/V    [R, numFrames, N, 3], overwritten
 * @param checkpoints  [R, numCheckpoints, 2, N, 3] (x, v), overwritten; what runSegmentAdjoint starts from
 */
template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* checkpoints,
                Executor& executor);

/**
 * Exact discrete adjoint of runSegment: the vector-Jacobian product of the steps that ran, recomputed bit for bit from
 * the checkpoints.
 *
 * @param gradFramesX/V     [R, numFrames, N, 3]
 * @param gradX0, gradV0    [R, N, 3], overwritten
 * @param gradCoefficients  [numTypePairs * grid.numCoefficients()], overwritten, summed over replicas in double
 */
template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* checkpoints, const Real* gradFramesX, const Real* gradFramesV,
                       Real* gradX0, Real* gradV0, double* gradCoefficients, Executor& executor);

} // namespace diffpair
