#include "diffpair/openmm/internal/Register.h"
#include "CpuPairKernels.h"

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::registerPairKernel<DiffPairPlugin::CpuCalcPairTableForceKernel>("CPU");
}
