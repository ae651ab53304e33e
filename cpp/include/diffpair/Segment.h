#pragma once
#include "diffpair/ForceTerm.h"
#include "diffpair/Integrator.h"
#include "diffpair/PairLoops.h"
#include <functional>

namespace diffpair {

/**
 * Further forces on the particles of a segment, from whoever knows them: a function of the positions alone that is minus the
 * gradient of an energy. It is called for several replicas at a time, for each of them by one thread at a time.
 */
struct ForceHook {
    /** (replica, x [3 * numAtoms] in nm, forces [3 * numAtoms] in kJ/mol/nm, overwritten); may throw */
    std::function<void(int, const double*, double*)> forces;
    /** How far the particle that moves farthest is moved to find the derivative of the forces along a direction, nm. */
    double distance = 0;
    /** Two evaluations for a derivative, one to each side, instead of one; see ExternalForces.h. */
    bool central = false;
};

/** A short differentiable trajectory of R independent replicas with one table. */
struct SegmentProblem {
    const PairTopology* topology = nullptr;
    std::vector<Box> boxes;          // [R]
    std::vector<double> inverseMass; // [N], 1/amu; 0 holds an atom fixed
    TableGrid grid;
    const double* coefficients = nullptr; // [numTypePairs * grid.numCoefficients()]
    Integrator integrator;
    double timestep = 0; // ps
    int numSteps = 0;
    int frameEvery = 1; // a frame after every so many steps; the start is not a frame
    /**
     * The path is kept whole from step `keepFrom` on. Before, only a state every `checkpointEvery` steps is, and the adjoint
     * recomputes those between. Memory and time change with them, but no bit of the results.
     */
    int checkpointEvery = 1, keepFrom = 0;
    double skin = 0.1; // nm
    /**
     * Sums over pairs of B_k(r) at every frame on a grid of their own, such as that of an RDF; without knots there are none.
     * They cost no neighbour list: the steps' own serves them.
     */
    TableGrid frameGrid;
    std::vector<BondedForces> bonded;
    ForceHook hook;

    bool hasHook() const {
        return static_cast<bool>(hook.forces);
    }
    size_t numCoefficients() const {
        return static_cast<size_t>(numTypePairs(topology->numTypes)) * grid.numCoefficients();
    }
    /** The coefficients and those of all bonded forces. */
    size_t numParameters() const {
        size_t count = numCoefficients();
        for (const BondedForces& forces : bonded)
            count += forces.numParameters();
        return count;
    }
    bool hasFrameSums() const {
        return frameGrid.numKnots > 0;
    }
    /** Numbers per frame: [numTypePairs][frameGrid.numCoefficients()] */
    size_t sumsOfFrame() const {
        return hasFrameSums() ? static_cast<size_t>(numTypePairs(topology->numTypes)) * frameGrid.numCoefficients() : 0;
    }
    /** Distance up to which pairs must be listed. */
    double reach() const {
        return hasFrameSums() && frameGrid.cutoff > grid.cutoff ? frameGrid.cutoff : grid.cutoff;
    }
    int numReplicas() const {
        return static_cast<int>(boxes.size());
    }
    int numFrames() const {
        return numSteps / frameEvery;
    }
    int numCheckpoints() const {
        return (keepFrom + checkpointEvery - 1) / checkpointEvery;
    }
    /** Vectors of a step of the path: x before it, and, if there is a bath, v after it. */
    int vectorsOfStep() const {
        return integrator.hasBath() ? 2 : 1;
    }
    /**
     * Vectors kept of a replica: of each checkpoint x, v and the positions the neighbour list was built from; of each step
     * that is kept those of the path; of every step the forces of the hook, if there is one, since nothing says that it would
     * give the same bits again.
     */
    int vectorsKept() const {
        return vectorsOfPath() + (hasHook() ? numSteps : 0);
    }
    /** Those before the forces of the hook. */
    int vectorsOfPath() const {
        return 3 * numCheckpoints() + vectorsOfStep() * (numSteps - keepFrom);
    }
    /** The bath is recorded at the checkpoints, then at the steps that are kept. */
    int numRecords() const {
        return numCheckpoints() + numSteps - keepFrom;
    }
    /** Throws std::invalid_argument with one sentence. */
    void validate() const;
};

/**
 * Run the scheme of Integrator.h.
 *
 * @param x0, v0     [R, N, 3], nm and nm/ps; v0 is OpenMM's half-step velocity v(-dt/2)
 * @param framesX/V  [R, numFrames, N, 3], overwritten
 * @param kept       [R, vectorsKept, N, 3], overwritten; what runSegmentAdjoint starts from
 * @param records    [R, numRecords, recordSize], overwritten: the bath at the same times
 * @param frameSums  [R, numFrames, sumsOfFrame], overwritten; not touched if there are none
 */
template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* kept,
                double* records, double* frameSums, Executor& executor);

/** Gradients with respect to what runSegment returned; null pointers for zeros. */
template <class Real> struct FrameGradients {
    const Real *x = nullptr, *v = nullptr; // [R, numFrames, N, 3]
    const double* sums = nullptr;          // [R, numFrames, sumsOfFrame]
    const Real* framesX = nullptr;         // [R, numFrames, N, 3], the frames themselves; read only together with sums
};

/**
 * Exact discrete adjoint of runSegment: the vector-Jacobian product of the steps that ran, where they were not kept
 * recomputed bit for bit from the checkpoints.
 *
 * @param gradX0, gradV0  [R, N, 3], overwritten
 * @param gradParameters  [numParameters]: of the coefficients, then of each of the bonded forces; overwritten, summed over
 *                        replicas in double
 * @param gradBath        [R, 2] of kT and rate, overwritten; not touched without a bath
 */
template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* kept, const double* records,
                       const FrameGradients<Real>& gradFrames, Real* gradX0, Real* gradV0, double* gradParameters,
                       double* gradBath, Executor& executor);

} // namespace diffpair
