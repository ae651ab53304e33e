#include "RegisterDevice.h"
#include <openmm/hip/HipPlatform.h>

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::registerPairKernelFactory<DiffPairPlugin::DevicePairKernelFactory<OpenMM::HipPlatform>>("HIP");
}
