#include "RegisterDevice.h"
#include <openmm/opencl/OpenCLPlatform.h>

extern "C" DIFFPAIR_OPENMM_EXPORT void registerPlatforms() {
}

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::registerPairKernelFactory<DiffPairPlugin::DevicePairKernelFactory<OpenMM::OpenCLPlatform>>("OpenCL");
}
