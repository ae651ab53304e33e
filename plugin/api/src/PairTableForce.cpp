#include "diffpair/openmm/PairTableForce.h"
#include "diffpair/Table.h"
#include "PairTableForceImpl.h"
#include <algorithm>
#include <cmath>

using std::vector;

namespace DiffPairPlugin {

PairTableForce::PairTableForce(int numTypes, double rMin, double tableCutoff, int numKnots)
    : PairForce("PairTableForce", numTypes, rMin, tableCutoff, numKnots) {
}

bool PairTableForce::hasPairCoefficients(int type1, int type2) const {
    requireType(type1);
    requireType(type2);
    return coefficients.count(diffpair::typePairIndex(type1, type2, getNumTypes())) > 0;
}

void PairTableForce::setPairCoefficients(int type1, int type2, const vector<double>& newCoefficients) {
    requireType(type1);
    requireType(type2);
    const size_t size = newCoefficients.size();
    const std::string subject = "the coefficients of the types " + nameOfPair(type1, type2);
    if (size != static_cast<size_t>(getNumKnots()) + 2)
        fail(subject + " must be " + std::to_string(getNumKnots() + 2) + " numbers, two more than the table has knots, but are " +
             std::to_string(size));
    for (size_t k = 0; k < size; k++)
        if (!std::isfinite(newCoefficients[k]))
            fail(subject + " must be finite, but number " + std::to_string(k) + " is " + std::to_string(newCoefficients[k]));
    if (std::any_of(newCoefficients.end() - 3, newCoefficients.end(), [](double c) { return c != 0; }))
        fail(subject + " must end in three zeros, so that energy and force vanish at the cutoff");
    coefficients[diffpair::typePairIndex(type1, type2, getNumTypes())] = newCoefficients;
}

vector<double> PairTableForce::getPairCoefficients(int type1, int type2) const {
    if (!hasPairCoefficients(type1, type2))
        fail("the types " + nameOfPair(type1, type2) + " have no coefficients");
    return coefficients.at(diffpair::typePairIndex(type1, type2, getNumTypes()));
}

void PairTableForce::evaluate(int type1, int type2, double r, double& energy, double& slope) const {
    const diffpair::TableGrid grid{getRMin(), getTableCutoff(), getNumKnots()};
    diffpair::evaluateTable(grid, getPairCoefficients(type1, type2).data(), r, energy, slope);
}

double PairTableForce::getPairEnergy(int type1, int type2, double r) const {
    double energy, slope;
    evaluate(type1, type2, r, energy, slope);
    return energy;
}

double PairTableForce::getPairForce(int type1, int type2, double r) const {
    double energy, slope;
    evaluate(type1, type2, r, energy, slope);
    return -slope;
}

void PairTableForce::updateParametersInContext(OpenMM::Context& context) {
    dynamic_cast<PairTableForceImpl&>(getImplInContext(context)).updateParametersInContext(getContextImpl(context));
}

OpenMM::ForceImpl* PairTableForce::createImpl() const {
    return new PairTableForceImpl(*this);
}

} // namespace DiffPairPlugin
