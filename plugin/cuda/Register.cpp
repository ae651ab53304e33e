#include "RegisterDevice.h"
#include <openmm/cuda/CudaPlatform.h>

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::registerPairKernelFactory<DiffPairPlugin::DevicePairKernelFactory<OpenMM::CudaPlatform>>("CUDA");
}
