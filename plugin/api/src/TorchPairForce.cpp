#include "diffpair/openmm/TorchPairForce.h"
#include "diffpair/openmm/PairTabulator.h"
#include "diffpair/Table.h"
#include "TorchPairForceImpl.h"
#include <algorithm>
#include <cmath>
#include <fstream>
#include <openmm/OpenMMException.h>
#include <sstream>

using std::string;
using std::vector;

namespace DiffPairPlugin {

TorchPairForce::TorchPairForce(const string& module, int numTypes, double rMin, double cutoff, int numKnots, double switchWidth)
    : PairForce("TorchPairForce", numTypes, rMin, cutoff, numKnots), switchWidth(switchWidth < 0 ? 0.1 * cutoff : switchWidth) {
    if (!(this->switchWidth < cutoff)) {
        std::ostringstream problem;
        problem << "the switch width must be smaller than the cutoff, " << cutoff << " nm, but is " << switchWidth << " nm";
        fail(problem.str());
    }
    setModule(module);
}

string TorchPairForce::readModule(const string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    if (file)
        content << file.rdbuf();
    if (!file || content.str().empty())
        throw OpenMM::OpenMMException("TorchPairForce: the module file '" + path + "' is missing, empty or unreadable");
    return content.str();
}

void TorchPairForce::setModule(const string& newModule) {
    if (newModule.empty())
        fail("the module is empty");
    module = newModule;
    dropEmbeddedTable();
}

int TorchPairForce::addGlobalParameter(const string& name, double defaultValue) {
    for (const GlobalParameter& parameter : parameters)
        if (parameter.name == name)
            fail("there is a global parameter '" + name + "' already");
    parameters.push_back({name, 0.0});
    try {
        setGlobalParameterDefaultValue(getNumGlobalParameters() - 1, defaultValue);
    } catch (...) {
        parameters.pop_back();
        throw;
    }
    dropEmbeddedTable();
    return getNumGlobalParameters() - 1;
}

void TorchPairForce::requireParameter(int index) const {
    if (index < 0 || index >= getNumGlobalParameters())
        fail("global parameter " + std::to_string(index) + " does not exist; there are " +
             std::to_string(getNumGlobalParameters()));
}

const string& TorchPairForce::getGlobalParameterName(int index) const {
    requireParameter(index);
    return parameters[index].name;
}

double TorchPairForce::getGlobalParameterDefaultValue(int index) const {
    requireParameter(index);
    return parameters[index].defaultValue;
}

void TorchPairForce::setGlobalParameterDefaultValue(int index, double defaultValue) {
    requireParameter(index);
    if (!std::isfinite(defaultValue))
        fail("the default value of the global parameter '" + parameters[index].name + "' must be finite, but is " +
             std::to_string(defaultValue));
    parameters[index].defaultValue = defaultValue;
}

vector<double> TorchPairForce::defaultValues() const {
    vector<double> values;
    for (const GlobalParameter& parameter : parameters)
        values.push_back(parameter.defaultValue);
    return values;
}

void TorchPairForce::addEnergyParameterDerivative(const string& name) {
    for (int i = 0; i < getNumGlobalParameters(); i++) {
        if (parameters[i].name != name)
            continue;
        if (std::find(differentiated.begin(), differentiated.end(), i) != differentiated.end())
            fail("the derivative with respect to '" + name + "' has been requested already");
        differentiated.push_back(i);
        dropEmbeddedTable();
        return;
    }
    fail("addEnergyParameterDerivative: there is no global parameter '" + name + "'; call addGlobalParameter first");
}

const string& TorchPairForce::getEnergyParameterDerivativeName(int index) const {
    if (index < 0 || index >= getNumEnergyParameterDerivatives())
        fail("energy parameter derivative " + std::to_string(index) + " does not exist; there are " +
             std::to_string(getNumEnergyParameterDerivatives()));
    return parameters[differentiated[index]].name;
}

void TorchPairForce::dropEmbeddedTable() {
    embeddedTable.clear();
    embeddedDerivatives.clear();
    embeddedAt.clear();
}

void TorchPairForce::embedTable() {
    Tables tables = tabulate(*PairTabulator::create(module, diffpair::numTypePairs(getNumTypes())), defaultValues(), true);
    setEmbeddedTable(tables.energy, defaultValues(), tables.derivatives);
}

void TorchPairForce::setEmbeddedTable(const vector<double>& coefficients, const vector<double>& parameterValues,
                                      const vector<double>& derivatives) {
    const size_t size = static_cast<size_t>(diffpair::numTypePairs(getNumTypes())) * (getNumKnots() + 2);
    if (coefficients.size() != size)
        fail("the embedded table must be " + std::to_string(size) + " numbers, knots + 2 for each pair of types, but is " +
             std::to_string(coefficients.size()));
    if (parameterValues.size() != parameters.size())
        fail("the embedded table must come with the values of the " + std::to_string(parameters.size()) +
             " global parameters, but comes with " + std::to_string(parameterValues.size()));
    if (derivatives.size() != size * differentiated.size())
        fail("the embedded table must come with the " + std::to_string(size * differentiated.size()) +
             " numbers of the tables of " + std::to_string(differentiated.size()) + " derivatives, but comes with " +
             std::to_string(derivatives.size()));
    createTableForce(coefficients); // throws if they are no table
    for (size_t i = 0; i < differentiated.size(); i++)
        createTableForce(vector<double>(derivatives.begin() + i * size, derivatives.begin() + (i + 1) * size));
    embeddedTable = coefficients;
    embeddedDerivatives = derivatives;
    embeddedAt = parameterValues;
}

PairTableForce* TorchPairForce::createPairTableForce(const vector<double>& parameterValues) const {
    return createTableForce(tabulate(parameterValues)).release();
}

std::unique_ptr<PairTableForce> TorchPairForce::createTableForce(const vector<double>& coefficients) const {
    auto force = std::make_unique<PairTableForce>(getNumTypes(), getRMin(), getTableCutoff(), getNumKnots());
    copyTable(coefficients, *force);
    return force;
}

void TorchPairForce::copyTable(const vector<double>& coefficients, PairTableForce& force) const {
    force.copySettings(*this);
    auto row = coefficients.begin();
    for (int a = 0; a < getNumTypes(); a++)
        for (int b = a; b < getNumTypes(); b++, row += getNumKnots() + 2)
            force.setPairCoefficients(a, b, vector<double>(row, row + getNumKnots() + 2));
}

vector<double> TorchPairForce::tabulate(const vector<double>& parameterValues) const {
    return tabulate(*PairTabulator::create(module, diffpair::numTypePairs(getNumTypes())), parameterValues, false).energy;
}

double TorchPairForce::computeTabulationError(const vector<double>& parameterValues, double maxEnergy) const {
    const auto tabulator = PairTabulator::create(module, diffpair::numTypePairs(getNumTypes()));
    return tabulationError(*tabulator, tabulate(*tabulator, parameterValues, false).energy, parameterValues, maxEnergy);
}

double TorchPairForce::getTabulationError(OpenMM::Context& context, double maxEnergy) const {
    return dynamic_cast<TorchPairForceImpl&>(getImplInContext(context)).getTabulationError(getContextImpl(context), maxEnergy);
}

void TorchPairForce::updateParametersInContext(OpenMM::Context& context) {
    dynamic_cast<TorchPairForceImpl&>(getImplInContext(context)).updateParametersInContext(getContextImpl(context));
}

OpenMM::ForceImpl* TorchPairForce::createImpl() const {
    return new TorchPairForceImpl(*this);
}

} // namespace DiffPairPlugin
