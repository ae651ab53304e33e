#pragma once
#include "diffpair/openmm/PairKernels.h"
#include "PairForceChecks.h"
#include <openmm/internal/ForceImpl.h>
#include <openmm/Kernel.h>
#include <optional>

namespace DiffPairPlugin {

/**
 * What the implementations of both forces do with the kernel, which knows PairTableForce alone.
 *
 * OpenMM's rule: a live Context keeps what the Force said when it was created, until updateParametersInContext. So an
 * implementation reads its owner in these two places only.
 */
class PairForceImpl : public OpenMM::ForceImpl {
public:
    std::vector<std::string> getKernelNames() override;

protected:
    explicit PairForceImpl(const PairForce& owner);
    /** Check the owner beside the System's other forces and create the kernel. */
    void createKernel(OpenMM::ContextImpl& context, const PairForce& owner, const PairTableForce& table,
                      const std::vector<ParameterDerivative>& derivatives);
    bool isInGroups(int groups) const {
        return (groups & (1 << forceGroup)) != 0;
    }
    double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy);
    /** Throws if something has changed that a live Context cannot take over. */
    void requireSameSettings(const PairForce& owner) const;
    void copyToKernel(OpenMM::ContextImpl& context, const PairTableForce& table,
                      const std::vector<ParameterDerivative>& derivatives);

private:
    std::optional<FixedSettings> settings;
    OpenMM::Kernel kernel;
};

class PairTableForceImpl : public PairForceImpl {
public:
    explicit PairTableForceImpl(const PairTableForce& owner) : PairForceImpl(owner), owner(owner) {
    }
    void initialize(OpenMM::ContextImpl& context) override;
    const OpenMM::Force& getOwner() const override {
        return owner;
    }
    double calcForcesAndEnergy(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy, int groups) override;
    std::map<std::string, double> getDefaultParameters() override {
        return {};
    }
    void updateParametersInContext(OpenMM::ContextImpl& context);

private:
    const PairTableForce& owner;
};

} // namespace DiffPairPlugin
