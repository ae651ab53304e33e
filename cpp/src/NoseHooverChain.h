#pragma once
#include "ChainSteps.h"
#include "diffpair/Integrator.h"
#include <vector>

namespace diffpair {

/** Time steps of the chain within one of the atoms', ps, in order. */
std::vector<double> chainTimeSteps(const Integrator& integrator, double timestep);

/**
 * The chain of OpenMM's NoseHooverIntegrator on its Reference platform: Martyna, Klein and Tuckerman,
 * J. Chem. Phys. 97, 2635 (1992), propagated by Yoshida-Suzuki weights and multiple time steps.
 *
 * With collision frequency nu and N degrees of freedom the beads weigh Q_0 = N kT/nu^2 and Q_j = kT/nu^2, so in units of
 * them the accelerations are
 *
 *     G_0 = nu^2 (K s^2 / (N kT) - 1),   G_1 = N V_0^2 - nu^2,   G_j = V_(j-1)^2 - nu^2,
 *
 * K twice the kinetic energy and s the factor reached so far. The beads' positions act on nothing and are left out.
 */
class NoseHooverChain {
public:
    NoseHooverChain(const NoseHooverChain&) = delete;
    NoseHooverChain(const Integrator& integrator, int replica, double timestep);
    /**
     * Advance the chain by one step.
     *
     * @param V  [chainLength], the beads' velocities in 1/ps, overwritten
     * @param K  twice the kinetic energy before, kJ/mol
     * @return the factor of all velocities
     */
    double propagate(double* V, double K);
    /**
     * The vector-Jacobian product of propagate().
     *
     * @param V          [chainLength], before the step
     * @param gradScale  gradient with respect to the factor
     * @param gradV      [chainLength], gradient with respect to the velocities after the step, replaced by that before
     * @param gradK      overwritten
     * @param gradKT, gradRate  added to
     */
    void propagateAdjoint(const double* V, double K, double gradScale, double* gradV, double& gradK, double& gradKT,
                          double& gradRate);

private:
    const std::vector<double> weights;
    ChainSteps steps; // looks at the weights
    std::vector<double> scratch;
};

} // namespace diffpair
