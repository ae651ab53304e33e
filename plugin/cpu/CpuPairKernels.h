#pragma once
#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairKernels.h"
#include "diffpair/PairLoops.h"
#include <optional>

namespace DiffPair {

/** The core's pair loops in single precision, on OpenMM's threads, with a neighbour list of their own. */
class CpuCalcPairTableForceKernel : public CalcPairTableForceKernel {
public:
    using CalcPairTableForceKernel::CalcPairTableForceKernel;
    void initialize(const OpenMM::System& system, const PairTableForce& force) override;
    double execute(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy) override;
    void copyParametersToContext(OpenMM::ContextImpl& context, const PairTableForce& force) override;

private:
    diffpair::PairTopology topology;
    diffpair::PairTablePieces<float> table;
    diffpair::PairLoops<float> loops;
    std::optional<diffpair::NeighborList<float>> list; // refers to topology
    bool periodic = false;
    BelowRMinWarning warning;
    long numForceCalls = 0;
};

} // namespace DiffPair
