#pragma once
#include "diffpair/Executor.h"
#include "diffpair/Integrator.h"
#include <memory>
#include <vector>

namespace diffpair {

/**
 * Theta of Integrator.h for one replica, and its vector-Jacobian product. Held atoms (inverse mass 0) keep their
 * velocities, as in OpenMM.
 */
template <class Real> class Thermostat {
public:
    virtual ~Thermostat() = default;
    /**
     * v <- Theta(v) in step t.
     *
     * @param record  [recordSize], overwritten with what describes the bath in this step; may be null
     */
    virtual void apply(int t, Real* v, double* record, Executor& executor) = 0;
    /** Bring the bath to where it was when apply() wrote this record. */
    virtual void restore(const double* record) = 0;
    /**
     * p <- Theta^T p; gradients of the bath's numbers and of its state are added up over the steps, last step first.
     *
     * @param v       velocities that apply() left in step t
     * @param record  what it wrote
     */
    virtual void applyAdjoint(int t, const Real* v, const double* record, Real* p, Executor& executor) = 0;

    double gradKT = 0, gradRate = 0;
};

/** @param inverseMass  [N]; null for the thermostat of Verlet, which has none */
template <class Real>
std::unique_ptr<Thermostat<Real>> makeThermostat(const Integrator& integrator, int replica, double timestep,
                                                 const std::vector<double>& inverseMass);

/** The parts of makeThermostat. */
template <class Real>
std::unique_ptr<Thermostat<Real>> makeLangevin(const Integrator& integrator, int replica, double timestep,
                                               const std::vector<double>& inverseMass);
template <class Real>
std::unique_ptr<Thermostat<Real>> makeNoseHoover(const Integrator& integrator, int replica, double timestep,
                                                 const std::vector<double>& inverseMass);

} // namespace diffpair
