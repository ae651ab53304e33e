#pragma once
#include "CommonPairKernels.h"
#include "diffpair/openmm/internal/Register.h"
#include <openmm/internal/ContextImpl.h>

namespace DiffPairPlugin {

/**
 * Makes the common kernel for one of OpenMM's platforms.
 *
 * PlatformData lists pointers to OpenCLContext, CudaContext or HipContext. Their definitions need headers of OpenCL, CUDA or
 * ROCm, which a machine that only builds DiffPair lacks. All that is used of them is their one base class, ComputeContext, which
 * is polymorphic and without virtual bases and therefore at the same address.
 */
template <class DevicePlatform> class DevicePairKernelFactory : public OpenMM::KernelFactory {
public:
    OpenMM::KernelImpl* createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                         OpenMM::ContextImpl& context) const override {
        if (name != CalcPairTableForceKernel::Name())
            throw OpenMM::OpenMMException("DiffPair has no kernel '" + name + "'");
        const auto& data = *static_cast<typename DevicePlatform::PlatformData*>(context.getPlatformData());
        return new CommonCalcPairTableForceKernel(name, platform,
                                                  *reinterpret_cast<OpenMM::ComputeContext*>(data.contexts.at(0)));
    }
};

} // namespace DiffPairPlugin
