#include "diffpair/Table.h"
#include "diffpair/Limits.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace diffpair {

namespace {

[[noreturn]] void refuse(const std::ostream& problem) {
    throw std::invalid_argument(static_cast<const std::ostringstream&>(problem).str());
}

} // namespace

void TableGrid::validate() const {
    std::ostringstream problem;
    if (!(std::isfinite(rMin) && std::isfinite(cutoff)) || rMin < 0 || cutoff <= rMin)
        refuse(problem << "A table needs 0 <= r_min < cutoff, but r_min is " << rMin << " nm and cutoff " << cutoff << " nm.");
    validateSize();
}

void TableGrid::validateSize() const {
    std::ostringstream problem;
    if (!(cutoff > rMin && rMin >= -largestCutoff))
        refuse(problem << "A grid needs r_min < cutoff, but r_min is " << rMin << " nm and cutoff " << cutoff << " nm.");
    if (!(cutoff >= smallestCutoff && cutoff <= largestCutoff))
        refuse(problem << "The cutoff of a table must be from " << smallestCutoff << " to " << largestCutoff << " nm, but is "
                       << cutoff << " nm.");
    if (numKnots < 5)
        refuse(problem << "A table needs at least 5 knots, but has " << numKnots << ".");
    if (numKnots > maxKnots)
        refuse(problem << "A table can have at most " << maxKnots << " knots, but has " << numKnots << ".");
    if (!(spacing() * maxKnots >= cutoff))
        refuse(problem << "The knots of a table must be at least a millionth of its cutoff apart, but from r_min " << rMin
                       << " nm to the cutoff " << cutoff << " nm " << numKnots << " of them are " << spacing() << " nm apart.");
}

void TableGrid::validateTables(int numTypes) const {
    std::ostringstream problem;
    if (numTypes < 1 || numTypes > maxTypes)
        refuse(problem << "There can be 1 to " << maxTypes << " types, not " << numTypes << ".");
    const double numbers = 4.0 * numTypePairs(numTypes) * numPieces();
    if (numbers > std::numeric_limits<int>::max())
        refuse(problem << "The tables of " << numTypes << " types with " << numKnots
                       << " knots are too large: 2 (types + 1) types "
                       << "(knots + 1) must be below 2^31.");
}

namespace {

/** Monomial coefficients of the four B-splines that are nonzero on one interval: pieceMatrix[n][k] t^n. */
constexpr double pieceMatrix[4][4] = {
    {1.0 / 6, 4.0 / 6, 1.0 / 6, 0}, {-0.5, 0, 0.5, 0}, {0.5, -1, 0.5, 0}, {-1.0 / 6, 0.5, -0.5, 1.0 / 6}};

/** Order of the polynomial kept in piece p, and the interval whose coefficients it uses. */
struct Piece {
    int interval, terms;
};
Piece describePiece(int p) {
    return p == 0 ? Piece{0, 2} : Piece{p - 1, 4};
}

/**
 * The tridiagonal system of interpolateTable. With the natural end, c[1] = value[0] and c[0] = 2 c[1] - c[2]; the
 * remaining unknowns c[2] .. c[K-2] obey c[j] + 4 c[j+1] + c[j+2] = 6 value[j], j = 1 .. K-3, with c[K-1] = 0.
 * The matrix is symmetric, so the transpose solves the same system.
 */
void solveTridiagonal(std::vector<double>& x) {
    const int n = static_cast<int>(x.size());
    std::vector<double> ratio(n);
    double diagonal = 4;
    for (int i = 0; i < n; i++) {
        if (i > 0) {
            ratio[i] = 1 / diagonal;
            diagonal = 4 - ratio[i];
            x[i] -= ratio[i] * x[i - 1];
        }
    }
    // Back substitution, pivots recomputed from the stored ratios.
    for (int i = n - 1; i >= 0; i--) {
        const double pivot = i == 0 ? 4.0 : 4.0 - ratio[i];
        x[i] = (x[i] - (i + 1 < n ? x[i + 1] : 0.0)) / pivot;
    }
}

} // namespace

template <class Real> void coefficientsToPieces(const TableGrid& grid, const double* coefficients, Real* pieces) {
    std::fill(pieces, pieces + 4 * grid.numPieces(), Real(0));
    for (int p = 0; p + 1 < grid.numPieces(); p++) {
        const Piece piece = describePiece(p);
        for (int n = 0; n < piece.terms; n++) {
            double a = 0;
            for (int k = 0; k < 4; k++)
                a += pieceMatrix[n][k] * coefficients[piece.interval + k];
            pieces[4 * p + n] = static_cast<Real>(a);
        }
    }
}
template void coefficientsToPieces<float>(const TableGrid&, const double*, float*);
template void coefficientsToPieces<double>(const TableGrid&, const double*, double*);

void piecesToCoefficients(const TableGrid& grid, const double* pieces, double* coefficients) {
    for (int p = 0; p + 1 < grid.numPieces(); p++) {
        const Piece piece = describePiece(p);
        for (int n = 0; n < piece.terms; n++)
            for (int k = 0; k < 4; k++)
                coefficients[piece.interval + k] += pieceMatrix[n][k] * pieces[4 * p + n];
    }
}

void evaluateTable(const TableGrid& grid, const double* coefficients, double r, double& energy, double& slope) {
    energy = slope = 0;
    if (r >= grid.cutoff)
        return;
    const double h = grid.spacing(), s = (r - grid.rMin) / h;
    const int interval = std::clamp(static_cast<int>(std::floor(s)), 0, grid.numKnots - 2);
    const double t = s - interval;
    const int terms = s < 0 ? 2 : 4;
    double power = 1, slopePower = 0;
    for (int n = 0; n < terms; n++) {
        double a = 0;
        for (int k = 0; k < 4; k++)
            a += pieceMatrix[n][k] * coefficients[interval + k];
        energy += a * power;
        slope += a * n * slopePower / h;
        slopePower = power;
        power *= t;
    }
}

std::vector<double> tableNodes(const TableGrid& grid) {
    std::vector<double> nodes(grid.numKnots);
    for (int i = 0; i < grid.numKnots; i++)
        nodes[i] = grid.rMin + i * grid.spacing();
    nodes.back() = grid.cutoff;
    return nodes;
}

void interpolateTable(const TableGrid& grid, const double* values, double* coefficients) {
    const int knots = grid.numKnots;
    std::vector<double> inner(values + 1, values + knots - 2); // c[2] .. c[K-2]
    for (double& v : inner)
        v *= 6;
    inner[0] -= values[0]; // c[1] is known
    solveTridiagonal(inner);
    std::fill(coefficients, coefficients + knots + 2, 0.0);
    coefficients[1] = values[0];
    std::copy(inner.begin(), inner.end(), coefficients + 2);
    coefficients[0] = 2 * coefficients[1] - coefficients[2];
}

void interpolateTableTranspose(const TableGrid& grid, const double* gradCoefficients, double* gradValues) {
    const int knots = grid.numKnots;
    std::vector<double> inner(gradCoefficients + 2, gradCoefficients + knots - 1);
    inner[0] -= gradCoefficients[0];
    solveTridiagonal(inner);
    std::fill(gradValues, gradValues + knots, 0.0);
    gradValues[0] = gradCoefficients[1] + 2 * gradCoefficients[0] - inner[0];
    for (size_t i = 0; i < inner.size(); i++)
        gradValues[i + 1] = 6 * inner[i];
}

double switchingFunction(double r, double cutoff, double width) {
    if (r >= cutoff)
        return 0;
    if (width <= 0 || r <= cutoff - width)
        return 1;
    const double x = (r - (cutoff - width)) / width;
    return 1 - x * x * x * (10 - x * (15 - 6 * x));
}

} // namespace diffpair
