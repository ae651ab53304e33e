#pragma once
#include "diffpair/NeighborList.h"
#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairKernels.h"
#include "diffpair/PairLoops.h"
#include <optional>

namespace DiffPairPlugin {

/** The core's pair loops in single precision, on OpenMM's threads, with a neighbour list of their own. */
class CpuCalcPairTableForceKernel : public CalcPairTableForceKernel {
public:
    using CalcPairTableForceKernel::CalcPairTableForceKernel;
    void initialize(const OpenMM::System& system, const PairTableForce& force,
                    const std::vector<ParameterDerivative>& derivatives) override;
    double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy) override;
    void copyParametersToContext(OpenMM::ContextImpl& context, const PairTableForce& force,
                                 const std::vector<ParameterDerivative>& derivatives) override;

private:
    diffpair::PairTopology topology;
    void setTables(const PairTableForce& force, const std::vector<ParameterDerivative>& derivatives);
    diffpair::PairTablePieces<float> table;
    struct Derivative {
        std::string parameter;
        diffpair::PairTablePieces<float> table;
    };
    std::vector<Derivative> derivatives;
    diffpair::PairLoops<float> loops;
    std::optional<diffpair::NeighborList<float>> list; // refers to topology
    bool periodic = false;
    BelowRMinWarning warning;
    long numForceCalls = 0;
};

} // namespace DiffPairPlugin
