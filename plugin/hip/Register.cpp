#include "RegisterDevice.h"
#include <openmm/hip/HipPlatform.h>

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPair::registerPairKernelFactory<DiffPair::DevicePairKernelFactory<OpenMM::HipPlatform>>("HIP");
}
