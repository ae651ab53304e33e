#include "diffpair/openmm/internal/KernelSetup.h"
#include "diffpair/openmm/PairTabulator.h"
#include "diffpair/openmm/TorchPairForce.h"
#include <algorithm>
#include <cmath>
#include <sstream>

using std::vector;

namespace DiffPair {

vector<double> TorchPairForce::tabulate(const PairTabulator& tabulator, const vector<double>& parameterValues) const {
    if (parameterValues.size() != parameters.size())
        fail("the module takes " + std::to_string(parameters.size()) + " global parameters, but is given " +
             std::to_string(parameterValues.size()) + " values");
    const diffpair::TableGrid grid = gridOf(*this);
    const vector<double> nodes = diffpair::tableNodes(grid);
    vector<double> energies, slopes;
    tabulator.evaluate(nodes, parameterValues, energies, slopes);

    vector<double> coefficients(static_cast<size_t>(diffpair::numTypePairs(getNumTypes())) * grid.numCoefficients());
    int pair = 0;
    for (int a = 0; a < getNumTypes(); a++)
        for (int b = a; b < getNumTypes(); b++, pair++) {
            double* row = energies.data() + static_cast<size_t>(pair) * grid.numKnots;
            const double* rowSlopes = slopes.data() + static_cast<size_t>(pair) * grid.numKnots;
            for (int i = 0; i < grid.numKnots; i++) {
                if (!std::isfinite(row[i]) || !std::isfinite(rowSlopes[i])) {
                    std::ostringstream problem;
                    problem << "the module's " << (std::isfinite(row[i]) ? "force" : "energy")
                            << " is not finite at r = " << nodes[i] << " nm for the types " << nameOfPair(a, b);
                    fail(problem.str());
                }
                row[i] *= diffpair::switchingFunction(nodes[i], grid.cutoff, switchWidth);
            }
            diffpair::interpolateTable(grid, row, coefficients.data() + static_cast<size_t>(pair) * grid.numCoefficients());
        }
    return coefficients;
}

double TorchPairForce::tabulationError(const PairTabulator& tabulator, const vector<double>& coefficients,
                                       const vector<double>& parameterValues, double maxEnergy) const {
    const diffpair::TableGrid grid = gridOf(*this);
    // The derivative of a cubic spline interpolant errs like t (1 - t) (1 - 2t) between knots, which vanishes in the middle
    // and is largest at t = 1/2 +- 1/sqrt(12).
    vector<double> r, energies, slopes;
    for (int i = 0; i < grid.numKnots - 1; i++)
        for (double t : {0.5 - std::sqrt(1.0 / 12), 0.5, 0.5 + std::sqrt(1.0 / 12)})
            r.push_back(grid.rMin + (i + t) * grid.spacing());
    tabulator.evaluate(r, parameterValues, energies, slopes);
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

} // namespace DiffPair
