#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairTabulator.h"
#include "diffpair/openmm/TorchPairForce.h"
#include <algorithm>
#include <cmath>
#include <sstream>

using std::vector;

namespace DiffPairPlugin {

namespace {

/** The table of values [numPairs * numKnots] at the knots, after multiplying them by the switching function. */
vector<double> interpolate(const diffpair::TableGrid& grid, double switchWidth, vector<double> values) {
    const vector<double> nodes = diffpair::tableNodes(grid);
    const size_t numPairs = values.size() / nodes.size();
    vector<double> coefficients(numPairs * grid.numCoefficients());
    for (size_t pair = 0; pair < numPairs; pair++) {
        double* row = values.data() + pair * nodes.size();
        for (size_t i = 0; i < nodes.size(); i++)
            row[i] *= diffpair::switchingFunction(nodes[i], grid.cutoff, switchWidth);
        diffpair::interpolateTable(grid, row, coefficients.data() + pair * grid.numCoefficients());
    }
    return coefficients;
}

} // namespace

TorchPairForce::Tables TorchPairForce::tabulate(const PairTabulator& tabulator, const vector<double>& parameterValues,
                                                bool withDerivatives) const {
    if (parameterValues.size() != parameters.size())
        fail("the module takes " + std::to_string(parameters.size()) + " global parameters, but is given " +
             std::to_string(parameterValues.size()) + " values");
    const diffpair::TableGrid grid = gridOf(*this);
    const vector<double> nodes = diffpair::tableNodes(grid);
    const auto values = tabulator.evaluate(nodes, parameterValues, withDerivatives ? differentiated : vector<int>());
    const auto requireFinite = [&](const vector<double>& numbers, const std::string& what) {
        size_t k = 0;
        for (int a = 0; a < getNumTypes(); a++)
            for (int b = a; b < getNumTypes(); b++)
                for (double r : nodes)
                    if (!std::isfinite(numbers[k++])) {
                        std::ostringstream problem;
                        problem << "the module's " << what << " is not finite at r = " << r << " nm for the types "
                                << nameOfPair(a, b);
                        fail(problem.str());
                    }
    };
    requireFinite(values.energies, "energy");
    requireFinite(values.slopes, "force");
    Tables tables;
    tables.energy = interpolate(grid, switchWidth, values.energies);
    for (size_t i = 0; i < values.derivatives.size(); i++) {
        requireFinite(values.derivatives[i], "derivative with respect to '" + parameters[differentiated[i]].name + "'");
        const vector<double> table = interpolate(grid, switchWidth, values.derivatives[i]);
        tables.derivatives.insert(tables.derivatives.end(), table.begin(), table.end());
    }
    return tables;
}

double TorchPairForce::tabulationError(const PairTabulator& tabulator, const vector<double>& coefficients,
                                       const vector<double>& parameterValues, double maxEnergy) const {
    const diffpair::TableGrid grid = gridOf(*this);
    // The derivative of a cubic spline interpolant errs like t (1 - t) (1 - 2t) between knots, which vanishes in the middle
    // and is largest at t = 1/2 +- 1/sqrt(12).
    vector<double> r;
    for (int i = 0; i < grid.numKnots - 1; i++)
        for (double t : {0.5 - std::sqrt(1.0 / 12), 0.5, 0.5 + std::sqrt(1.0 / 12)})
            r.push_back(grid.rMin + (i + t) * grid.spacing());
    const auto [energies, slopes, none] = tabulator.evaluate(r, parameterValues, {});
    double largest = 0;
    for (int pair = 0; pair < diffpair::numTypePairs(getNumTypes()); pair++)
        for (size_t i = 0; i < r.size(); i++) {
            // d(u s)/dr, with the slope of the switching function by a central difference: it has one definition.
            const double step = 1e-5 * grid.spacing();
            const double s = diffpair::switchingFunction(r[i], grid.cutoff, switchWidth);
            const double ds = (diffpair::switchingFunction(r[i] + step, grid.cutoff, switchWidth) -
                               diffpair::switchingFunction(r[i] - step, grid.cutoff, switchWidth)) /
                              (2 * step);
            const double u = energies[pair * r.size() + i], du = slopes[pair * r.size() + i];
            double energy, slope;
            diffpair::evaluateTable(grid, coefficients.data() + static_cast<size_t>(pair) * grid.numCoefficients(), r[i], energy,
                                    slope);
            if (u * s < maxEnergy)
                largest = std::max(largest, std::abs(slope - (du * s + u * ds)));
        }
    return largest;
}

} // namespace DiffPairPlugin
