#include "PairTableForceImpl.h"
#include "diffpair/openmm/PairKernels.h"
#include <openmm/internal/ContextImpl.h>

using OpenMM::ContextImpl;
using OpenMM::Vec3;

namespace DiffPair {

PairForceImpl::PairForceImpl(const PairForce& owner) : pairOwner(owner) {
    forceGroup = owner.getForceGroup();
}

std::vector<std::string> PairForceImpl::getKernelNames() {
    return {CalcPairTableForceKernel::Name()};
}

void PairForceImpl::createKernel(ContextImpl& context, const PairTableForce& table) {
    settings.emplace(pairOwner);
    kernel = context.getPlatform().createKernel(CalcPairTableForceKernel::Name(), context);
    if (kernel.getAs<CalcPairTableForceKernel>().usesSharedNonbonded())
        PairForceChecks::checkCombination(pairOwner, context.getSystem(), context.getPlatform().getName());
    kernel.getAs<CalcPairTableForceKernel>().initialize(context.getSystem(), table);
}

double PairForceImpl::execute(ContextImpl& context, bool includeForces, bool includeEnergy) {
    if (pairOwner.usesPeriodicBoundaryConditions()) {
        // The box may have changed since: a barostat, setPeriodicBoxVectors, a checkpoint.
        Vec3 a, b, c;
        context.getPeriodicBoxVectors(a, b, c);
        PairForceChecks::checkBox(pairOwner, a, b, c);
    }
    return kernel.getAs<CalcPairTableForceKernel>().execute(context, includeForces, includeEnergy);
}

void PairForceImpl::requireSameSettings() const {
    settings->requireSame(pairOwner);
}

void PairForceImpl::copyToKernel(ContextImpl& context, const PairTableForce& table) {
    kernel.getAs<CalcPairTableForceKernel>().copyParametersToContext(context, table);
}

void PairTableForceImpl::initialize(ContextImpl& context) {
    PairForceChecks::checkSystem(owner, context.getSystem());
    PairForceChecks::checkPotentials(owner);
    createKernel(context, owner);
}

double PairTableForceImpl::calcForcesAndEnergy(ContextImpl& context, bool includeForces, bool includeEnergy, int groups) {
    return isInGroups(groups) ? execute(context, includeForces, includeEnergy) : 0.0;
}

void PairTableForceImpl::updateParametersInContext(ContextImpl& context) {
    requireSameSettings();
    PairForceChecks::checkPotentials(owner);
    copyToKernel(context, owner);
    context.systemChanged();
}

} // namespace DiffPair
