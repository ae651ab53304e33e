#pragma once
#include "diffpair/openmm/PairTableForce.h"
#include <openmm/KernelImpl.h>
#include <openmm/Platform.h>
#include <openmm/System.h>

namespace DiffPairPlugin {

/** dU/d(parameter) of a Context parameter: a table like that of the force, [numTypePairs * (numKnots + 2)]. */
struct ParameterDerivative {
    std::string parameter;
    std::vector<double> coefficients;
};

/**
 * Invoked by both forces to compute forces and energy from a PairTableForce; implemented once per platform. Derivatives with
 * respect to Context parameters are added to what OpenMM's platforms collect for State::getEnergyParameterDerivatives().
 */
class CalcPairTableForceKernel : public OpenMM::KernelImpl {
public:
    static std::string Name() {
        return "CalcPairTableForce";
    }
    CalcPairTableForceKernel(const std::string& name, const OpenMM::Platform& platform) : OpenMM::KernelImpl(name, platform) {
    }
    /**
     * Whether pairs are found by OpenMM's nonbonded machinery for GPUs, which does not take every combination of nonbonded forces
     * in one System; see PairForceChecks::checkCombination.
     */
    virtual bool usesSharedNonbonded() const {
        return false;
    }
    virtual void initialize(const OpenMM::System& system, const PairTableForce& force,
                            const std::vector<ParameterDerivative>& derivatives) = 0;
    /** @return the energy in kJ/mol, 0 unless includeEnergy */
    virtual double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy) = 0;
    /** Take over coefficients and particle types; nothing else has changed, and the derivatives are of the same parameters. */
    virtual void copyParametersToContext(OpenMM::ContextImpl& context, const PairTableForce& force,
                                         const std::vector<ParameterDerivative>& derivatives) = 0;
};

} // namespace DiffPairPlugin
