#include "TorchPairForceImpl.h"
#include "diffpair/Table.h"
#include <openmm/internal/ContextImpl.h>
#include <openmm/OpenMMException.h>

using OpenMM::ContextImpl;
using std::string;
using std::vector;

namespace DiffPair {

void TorchPairForceImpl::initialize(ContextImpl& context) {
    PairForceChecks::checkSystem(owner, context.getSystem());
    for (int i = 0; i < owner.getNumGlobalParameters(); i++)
        parameterNames.push_back(owner.getGlobalParameterName(i));
    // The Context learns its parameters only after this call, so an embedded table is taken as it is; whether it was made
    // at the right values is decided in calcForcesAndEnergy.
    const bool embedded = owner.hasEmbeddedTable();
    table = owner.createTableForce(embedded ? owner.getEmbeddedTable() : makeTable(owner.defaultValues()));
    tabulatedAt = embedded ? owner.getEmbeddedParameterValues() : owner.defaultValues();
    createKernel(context, *table);
}

double TorchPairForceImpl::calcForcesAndEnergy(ContextImpl& context, bool includeForces, bool includeEnergy, int groups) {
    if (!isInGroups(groups))
        return 0.0;
    // OpenMM announces no change of parameters (setParameter, setState, a checkpoint, an integrator), so compare them.
    const vector<double> values = currentValues(context);
    if (values != tabulatedAt) {
        owner.copyTable(makeTable(values), *table);
        tabulatedAt = values;
        copyToKernel(context, *table);
    }
    return execute(context, includeForces, includeEnergy);
}

std::map<string, double> TorchPairForceImpl::getDefaultParameters() {
    std::map<string, double> parameters;
    for (int i = 0; i < owner.getNumGlobalParameters(); i++)
        parameters[owner.getGlobalParameterName(i)] = owner.getGlobalParameterDefaultValue(i);
    return parameters;
}

void TorchPairForceImpl::updateParametersInContext(ContextImpl& context) {
    requireSameSettings();
    if (owner.getNumGlobalParameters() != static_cast<int>(parameterNames.size()))
        throw OpenMM::OpenMMException(
            "updateParametersInContext: the number of global parameters has changed since the Context was "
            "created; call context.reinitialize() instead");
    const vector<double> values = currentValues(context);
    owner.copyTable(makeTable(values), *table);
    tabulatedAt = values;
    copyToKernel(context, *table);
    context.systemChanged();
}

double TorchPairForceImpl::getTabulationError(ContextImpl& context, double maxEnergy) {
    const vector<double> values = currentValues(context);
    return owner.tabulationError(getTabulator(), makeTable(values), values, maxEnergy);
}

const PairTabulator& TorchPairForceImpl::getTabulator() {
    if (!tabulator || tabulatedModule != owner.getModule()) {
        tabulator = PairTabulator::create(owner.getModule(), diffpair::numTypePairs(owner.getNumTypes()));
        tabulatedModule = owner.getModule();
    }
    return *tabulator;
}

vector<double> TorchPairForceImpl::makeTable(const vector<double>& parameterValues) {
    if (owner.hasEmbeddedTable() && owner.getEmbeddedParameterValues() == parameterValues)
        return owner.getEmbeddedTable();
    return owner.tabulate(getTabulator(), parameterValues);
}

vector<double> TorchPairForceImpl::currentValues(ContextImpl& context) const {
    vector<double> values;
    for (const string& name : parameterNames)
        values.push_back(context.getParameter(name));
    return values;
}

} // namespace DiffPair
