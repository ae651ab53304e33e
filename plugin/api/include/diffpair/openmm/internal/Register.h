#pragma once
#include "diffpair/openmm/PairKernels.h"
#include <openmm/KernelFactory.h>
#include <openmm/OpenMMException.h>

namespace DiffPairPlugin {

template <class PairKernel> class PairKernelFactory : public OpenMM::KernelFactory {
public:
    OpenMM::KernelImpl* createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                         OpenMM::ContextImpl&) const override {
        if (name != CalcPairTableForceKernel::Name())
            throw OpenMM::OpenMMException("DiffPair has no kernel '" + name + "'");
        return new PairKernel(name, platform);
    }
};

/**
 * Make a kernel known to the platform of this name, if it is there. The platform is found by its name and not by its class: the
 * CPU platform is derived from the Reference platform.
 */
template <class Factory> void registerPairKernelFactory(const std::string& platformName) {
    for (int i = 0; i < OpenMM::Platform::getNumPlatforms(); i++) {
        OpenMM::Platform& platform = OpenMM::Platform::getPlatform(i);
        if (platform.getName() == platformName)
            platform.registerKernelFactory(CalcPairTableForceKernel::Name(), new Factory());
    }
}

template <class PairKernel> void registerPairKernel(const std::string& platformName) {
    registerPairKernelFactory<PairKernelFactory<PairKernel>>(platformName);
}

} // namespace DiffPairPlugin
