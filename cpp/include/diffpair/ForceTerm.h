#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairSystem.h"
#include <memory>

namespace diffpair {

/**
 * A part U(x; p) of a replica's potential energy, as segments take it: its forces F = -dU/dx and their adjoint. An object
 * serves one replica and keeps its scratch memory between calls.
 */
template <class Real> class ForceTerm {
public:
    virtual ~ForceTerm() = default;
    /**
     * @param x, f  [3 * numAtoms], nm and kJ/mol/nm; f is added to
     */
    virtual void addForces(const Real* x, Real* f, Executor& executor) = 0;
    /**
     * The adjoint of the forces along w: jw += (dF/dx)^T w, which is minus the Hessian of U times w; and (dF/dp)^T w is
     * added to what addGradient() gives.
     *
     * @param x, w, jw  [3 * numAtoms]; jw is added to
     */
    virtual void addAdjoint(const Real* x, const Real* w, Real* jw, Executor& executor) = 0;
    /** @param gradient  of the parameters p, added to: the sum over all calls of addAdjoint() */
    virtual void addGradient(double* gradient) const = 0;
};

/**
 * Bonded forces of one kind, the same in every replica. Parameters and units are those of OpenMM's forces:
 *
 *     HarmonicBond      (length r0 in nm, k):            k (r - r0)^2 / 2
 *     HarmonicAngle     (angle t0 in radians, k):        k (t - t0)^2 / 2
 *     PeriodicTorsion   (periodicity n, phase f0, k):    k (1 + cos(n f - f0))
 */
struct BondedForces {
    enum class Kind { HarmonicBond, HarmonicAngle, PeriodicTorsion };
    Kind kind = Kind::HarmonicBond;
    std::vector<int> atoms;             // [n][atomsOfOne]
    const double* parameters = nullptr; // [n][parametersOfOne]
    bool periodic = false;              // whether differences of positions are taken to their nearest image

    int atomsOfOne() const {
        return 2 + static_cast<int>(kind);
    }
    int parametersOfOne() const {
        return kind == Kind::PeriodicTorsion ? 3 : 2;
    }
    int size() const {
        return static_cast<int>(atoms.size()) / atomsOfOne();
    }
    size_t numParameters() const {
        return static_cast<size_t>(size()) * parametersOfOne();
    }
    /** Throws std::invalid_argument with one sentence. */
    void validate(int numAtoms) const;
};

/** The bonded forces in this box; periodicities are whole numbers and have no gradient, 0 stands for it. */
template <class Real> std::unique_ptr<ForceTerm<Real>> makeBondedTerm(const BondedForces& forces, const Box& box, int numAtoms);

} // namespace diffpair
