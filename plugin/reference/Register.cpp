#include "diffpair/openmm/internal/Register.h"
#include "ReferencePairKernels.h"

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::registerPairKernel<DiffPairPlugin::ReferenceCalcPairTableForceKernel>("Reference");
}
