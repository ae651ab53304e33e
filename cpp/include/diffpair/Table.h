#pragma once
#include <vector>

namespace diffpair {

/**
 * The one definition of a tabulated pair potential.
 *
 * `numKnots` uniform knots span [rMin, cutoff], h = (cutoff - rMin) / (numKnots - 1). A pair of types has
 * numKnots + 2 cubic B-spline coefficients; basis function k is centred at rMin + (k - 1) h:
 *
 *     U(r) = sum_k c[k] B((r - rMin) / h - (k - 1)),   r in [rMin, cutoff)
 *
 * U is C2 and F = -dU/dr is its exact derivative. Below rMin, U continues linearly with the slope it has at
 * rMin, and so does every basis function. At and beyond the cutoff U = 0; the last three coefficients of a
 * potential are 0, so that U = U' = U'' = 0 there. Lengths in nm, energies in kJ/mol.
 */
struct TableGrid {
    double rMin = 0, cutoff = 0;
    int numKnots = 0;

    double spacing() const {
        return (cutoff - rMin) / (numKnots - 1);
    }
    int numCoefficients() const {
        return numKnots + 2;
    }
    /** Polynomial pieces of the evaluation layout: the linear one below rMin, numKnots - 1 cubic ones, a zero one. */
    int numPieces() const {
        return numKnots + 1;
    }
    /** Throws std::invalid_argument with one sentence if the grid is unusable for a potential. */
    void validate() const;
    /** The same for any other grid: one of RDF bins may start below zero. */
    void validateSize() const;
    /** The same if tables of this grid for all pairs of so many types are more than the loops can take. */
    void validateTables(int numTypes) const;
};

/** Number of pairs of `numTypes` types. */
inline int numTypePairs(int numTypes) {
    return numTypes * (numTypes + 1) / 2;
}

/** Row of the pair (a, b) in the order (0,0), (0,1) .. (0,T-1), (1,1) .. */
inline int typePairIndex(int a, int b, int numTypes) {
    if (a > b) {
        const int swap = a;
        a = b;
        b = swap;
    }
    return a * numTypes - a * (a - 1) / 2 + b - a;
}

/**
 * Evaluation layout: piece p holds (a0, a1, a2, a3) with U = a0 + a1 t + a2 t^2 + a3 t^3. With
 * s = (r - rMin) / h: p = 0 and t = s for s < 0, otherwise p = 1 + floor(s) and t = s - floor(s). The same
 * polynomials as the B-spline, never a refit.
 *
 * @param coefficients  [numCoefficients] of one pair of types
 * @param pieces        [4 * numPieces], overwritten
 */
template <class Real> void coefficientsToPieces(const TableGrid& grid, const double* coefficients, Real* pieces);

/**
 * Transpose of coefficientsToPieces. If m[p][n] is the sum of w t^n over samples in piece p, the result is
 * the sum of w B_k(r) over all samples.
 *
 * @param pieces        [4 * numPieces]
 * @param coefficients  [numCoefficients], added to
 */
void piecesToCoefficients(const TableGrid& grid, const double* pieces, double* coefficients);

/** U and dU/dr at r, plain and slow: the oracle for every faster loop. */
void evaluateTable(const TableGrid& grid, const double* coefficients, double r, double& energy, double& slope);

/** Radii of the knots, in nm. */
std::vector<double> tableNodes(const TableGrid& grid);

/**
 * Coefficients of the spline through `values` on the nodes: natural end at rMin (U'' = 0), three zero coefficients
 * at the cutoff. That fixes numKnots - 1 unknowns, so the last two values are not interpolated: the last is 0 by
 * construction and the one before it is left to the C2 end.
 *
 * @param values        [numKnots]
 * @param coefficients  [numCoefficients], overwritten
 */
void interpolateTable(const TableGrid& grid, const double* values, double* coefficients);

/** Transpose of interpolateTable (its vector-Jacobian product): coefficient gradients to value gradients. */
void interpolateTableTranspose(const TableGrid& grid, const double* gradCoefficients, double* gradValues);

/**
 * Switching function that multiplies every form but the B-spline: 1 up to cutoff - width, then the quintic
 * 1 - 10 x^3 + 15 x^4 - 6 x^5, 0 from the cutoff on.
 */
double switchingFunction(double r, double cutoff, double width);

} // namespace diffpair
