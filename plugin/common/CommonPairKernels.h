#pragma once
#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairKernels.h"
#include <memory>
#include <mutex>
#include <openmm/common/ComputeArray.h>
#include <openmm/common/ComputeContext.h>
#include <openmm/common/ComputeForceInfo.h>

namespace DiffPairPlugin {

/**
 * OpenCL, CUDA and HIP: an interaction of OpenMM's own nonbonded machinery, which finds the pairs, applies the box and the
 * exclusions and adds up the forces, in one kernel with all other forces of the System that use it.
 */
class CommonCalcPairTableForceKernel : public CalcPairTableForceKernel {
public:
    /** @param context  the first of the ComputeContexts, of which there is one for each device */
    CommonCalcPairTableForceKernel(const std::string& name, const OpenMM::Platform& platform, OpenMM::ComputeContext& context);
    ~CommonCalcPairTableForceKernel() override;
    bool usesSharedNonbonded() const override {
        return true;
    }
    void initialize(const OpenMM::System& system, const PairTableForce& force,
                    const std::vector<ParameterDerivative>& derivatives) override;
    double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy) override;
    void copyParametersToContext(OpenMM::ContextImpl& context, const PairTableForce& force,
                                 const std::vector<ParameterDerivative>& derivatives) override;

private:
    class ForceInfo;
    class CloseParticles;
    struct Device;
    void initializeDevice(Device& device, const PairTableForce& force, const std::vector<ParameterDerivative>& derivatives);
    /** Make room for a table and let the nonbonded kernel have it under this name. */
    void addTable(Device& device, OpenMM::ComputeArray& table, const std::string& name) const;
    /** Upload the coefficients of all pairs of types as polynomial pieces. */
    template <class Real> void uploadTable(OpenMM::ComputeArray& table, const std::vector<double>& coefficients) const;
    void uploadTables(Device& device, const PairTableForce& force, const std::vector<ParameterDerivative>& derivatives) const;
    void uploadTypes(Device& device) const;
    std::vector<std::unique_ptr<Device>> devices;
    diffpair::TableGrid grid;
    int numTypes = 0;
    std::vector<int> types;
    BelowRMinWarning warning;
    std::mutex warningLock; // each device has a thread
};

} // namespace DiffPairPlugin
