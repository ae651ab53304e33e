#include "PairTableForceImpl.h"
#include <openmm/internal/ContextImpl.h>

using OpenMM::ContextImpl;
using OpenMM::Vec3;

namespace DiffPairPlugin {

PairForceImpl::PairForceImpl(const PairForce& owner) {
    forceGroup = owner.getForceGroup();
}

std::vector<std::string> PairForceImpl::getKernelNames() {
    return {CalcPairTableForceKernel::Name()};
}

void PairForceImpl::createKernel(ContextImpl& context, const PairForce& owner, const PairTableForce& table,
                                 const std::vector<ParameterDerivative>& derivatives) {
    settings.emplace(owner);
    kernel = context.getPlatform().createKernel(CalcPairTableForceKernel::Name(), context);
    if (kernel.getAs<CalcPairTableForceKernel>().usesSharedNonbonded())
        PairForceChecks::checkCombination(owner, context.getSystem(), context.getPlatform().getName());
    kernel.getAs<CalcPairTableForceKernel>().initialize(context.getSystem(), table, derivatives);
}

double PairForceImpl::execute(ContextImpl& context, bool includeForces, bool includeEnergy) {
    if (settings->isPeriodic()) {
        // The box may have changed since: a barostat, setPeriodicBoxVectors, a checkpoint.
        Vec3 a, b, c;
        context.getPeriodicBoxVectors(a, b, c);
        settings->checkBox(a, b, c);
    }
    return kernel.getAs<CalcPairTableForceKernel>().execute(context, includeForces, includeEnergy);
}

void PairForceImpl::requireSameSettings(const PairForce& owner) const {
    settings->requireSame(owner);
}

void PairForceImpl::copyToKernel(ContextImpl& context, const PairTableForce& table,
                                 const std::vector<ParameterDerivative>& derivatives) {
    kernel.getAs<CalcPairTableForceKernel>().copyParametersToContext(context, table, derivatives);
}

void PairTableForceImpl::initialize(ContextImpl& context) {
    PairForceChecks::checkSystem(owner, context.getSystem());
    PairForceChecks::checkPotentials(owner);
    createKernel(context, owner, owner, {});
}

double PairTableForceImpl::calcForcesAndEnergy(ContextImpl& context, bool includeForces, bool includeEnergy, int groups) {
    return isInGroups(groups) ? execute(context, includeForces, includeEnergy) : 0.0;
}

void PairTableForceImpl::updateParametersInContext(ContextImpl& context) {
    requireSameSettings(owner);
    PairForceChecks::checkPotentials(owner);
    copyToKernel(context, owner, {});
    context.systemChanged();
}

} // namespace DiffPairPlugin
