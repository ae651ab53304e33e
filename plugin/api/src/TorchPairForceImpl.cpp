#include "TorchPairForceImpl.h"
#include "diffpair/Table.h"
#include <openmm/internal/ContextImpl.h>
#include <openmm/OpenMMException.h>

using OpenMM::ContextImpl;
using std::string;
using std::vector;

namespace DiffPairPlugin {

void TorchPairForceImpl::initialize(ContextImpl& context) {
    const TorchPairForce& force = current.force;
    PairForceChecks::checkSystem(force, context.getSystem());
    // The Context learns its parameters only after this call, so an embedded table is taken as it is; whether it was made
    // at the right values is decided in calcForcesAndEnergy.
    tabulatedAt = force.hasEmbeddedTable() ? force.getEmbeddedParameterValues() : force.defaultValues();
    const TorchPairForce::Tables tables = current.makeTables(tabulatedAt);
    table = force.createTableForce(tables.energy);
    createKernel(context, force, *table, current.derivativesOf(tables));
}

double TorchPairForceImpl::calcForcesAndEnergy(ContextImpl& context, bool includeForces, bool includeEnergy, int groups) {
    if (!isInGroups(groups))
        return 0.0;
    // OpenMM announces no change of parameters (setParameter, setState, a checkpoint, an integrator), so compare them.
    const vector<double> values = currentValues(context);
    if (values != tabulatedAt) {
        const TorchPairForce::Tables tables = current.makeTables(values);
        table = current.force.createTableForce(tables.energy);
        copyToKernel(context, *table, current.derivativesOf(tables));
        tabulatedAt = values;
    }
    return execute(context, includeForces, includeEnergy);
}

std::map<string, double> TorchPairForceImpl::getDefaultParameters() {
    std::map<string, double> parameters;
    for (int i = 0; i < current.force.getNumGlobalParameters(); i++)
        parameters[current.force.getGlobalParameterName(i)] = current.force.getGlobalParameterDefaultValue(i);
    return parameters;
}

void TorchPairForceImpl::updateParametersInContext(ContextImpl& context) {
    requireSameSettings(owner);
    const auto requireSameNumber = [](int now, int before, const string& what) {
        if (now != before)
            throw OpenMM::OpenMMException("updateParametersInContext: the number of " + what +
                                          " has changed since the Context was created; call context.reinitialize() instead");
    };
    requireSameNumber(owner.getNumGlobalParameters(), current.force.getNumGlobalParameters(), "global parameters");
    requireSameNumber(owner.getNumEnergyParameterDerivatives(), current.force.getNumEnergyParameterDerivatives(),
                      "energy parameter derivatives");
    // A module that cannot be tabulated leaves the Context as it was.
    Source next{owner, nullptr};
    if (owner.getModule() == current.force.getModule())
        next.tabulator = std::move(current.tabulator);
    const vector<double> values = currentValues(context);
    const TorchPairForce::Tables tables = next.makeTables(values);
    table = next.force.createTableForce(tables.energy);
    copyToKernel(context, *table, next.derivativesOf(tables));
    tabulatedAt = values;
    current = std::move(next);
    context.systemChanged();
}

double TorchPairForceImpl::getTabulationError(ContextImpl& context, double maxEnergy) {
    const vector<double> values = currentValues(context);
    return current.force.tabulationError(current.getTabulator(), current.makeTables(values).energy, values, maxEnergy);
}

const PairTabulator& TorchPairForceImpl::Source::getTabulator() {
    if (!tabulator)
        tabulator = PairTabulator::create(force.getModule(), diffpair::numTypePairs(force.getNumTypes()));
    return *tabulator;
}

TorchPairForce::Tables TorchPairForceImpl::Source::makeTables(const vector<double>& parameterValues) {
    if (force.hasEmbeddedTable() && force.getEmbeddedParameterValues() == parameterValues)
        return {force.getEmbeddedTable(), force.getEmbeddedDerivatives()};
    return force.tabulate(getTabulator(), parameterValues, true);
}

vector<ParameterDerivative> TorchPairForceImpl::Source::derivativesOf(const TorchPairForce::Tables& tables) const {
    vector<ParameterDerivative> derivatives;
    auto begin = tables.derivatives.begin();
    const auto size = static_cast<std::ptrdiff_t>(tables.energy.size());
    for (int i = 0; i < force.getNumEnergyParameterDerivatives(); i++, begin += size)
        derivatives.push_back({force.getEnergyParameterDerivativeName(i), vector<double>(begin, begin + size)});
    return derivatives;
}

vector<double> TorchPairForceImpl::currentValues(ContextImpl& context) const {
    vector<double> values;
    for (int i = 0; i < current.force.getNumGlobalParameters(); i++)
        values.push_back(context.getParameter(current.force.getGlobalParameterName(i)));
    return values;
}

} // namespace DiffPairPlugin
