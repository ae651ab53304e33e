#pragma once
#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairKernels.h"

namespace DiffPairPlugin {

/** All pairs, in double precision, through the table's definition: obvious rather than fast. */
class ReferenceCalcPairTableForceKernel : public CalcPairTableForceKernel {
public:
    using CalcPairTableForceKernel::CalcPairTableForceKernel;
    void initialize(const OpenMM::System& system, const PairTableForce& force,
                    const std::vector<ParameterDerivative>& derivatives) override;
    double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy) override;
    void copyParametersToContext(OpenMM::ContextImpl& context, const PairTableForce& force,
                                 const std::vector<ParameterDerivative>& derivatives) override;

private:
    diffpair::TableGrid grid;
    diffpair::PairTopology topology;
    std::vector<double> coefficients; // [numTypePairs * numCoefficients]
    std::vector<ParameterDerivative> derivatives;
    bool periodic = false;
    BelowRMinWarning warning;
};

} // namespace DiffPairPlugin
