#pragma once
#include "diffpair/NeighborList.h"
#include <cstddef>
#include <cstdint>

namespace diffpair {

template <class Real> struct PairRows;

/** A table for all pairs of types in evaluation layout, ready for the pair loops. */
template <class Real> class PairTablePieces {
public:
    PairTablePieces() = default;
    /** @param coefficients  [numTypePairs * grid.numCoefficients()] */
    PairTablePieces(const TableGrid& grid, int numTypes, const double* coefficients) {
        set(grid, numTypes, coefficients);
    }
    void set(const TableGrid& grid, int numTypes, const double* coefficients);
    const TableGrid& getGrid() const {
        return grid;
    }
    int getNumTypes() const {
        return numTypes;
    }
    const Real* data() const {
        return pieces.data();
    } // [numTypePairs][numPieces][4]

private:
    TableGrid grid;
    int numTypes = 0;
    std::vector<Real> pieces;
};

/** Sums of one force evaluation. */
struct PairSums {
    double energy = 0;     // kJ/mol
    double virial = 0;     // sum over pairs of r . F, kJ/mol
    int64_t belowRMin = 0; // pairs closer than the table's rMin, those whose table is 0 left out
};

/**
 * The pair loops: written once, used by the plugin's CPU platform and by the torch operators. All of them run at the
 * positions that the list was last updated with, over static blocks of its rows, and reduce in block order: the same bits
 * for the same number of threads. An object keeps its scratch memory between calls; use one per concurrent caller.
 */
template <class Real> class PairLoops {
public:
    /**
     * Forces, added to f.
     *
     * @param f     [3 * numAtoms] in kJ/mol/nm, added to; may be null
     * @param sums  energy, virial and counts; null skips them
     */
    template <class Target>
    void forces(const PairTablePieces<Real>& table, const NeighborList<Real>& list, Target* f, PairSums* sums,
                Executor& executor);
    /**
     * The adjoint of the forces along w: jw_i += sum_j (dF_j/dx_i)^T w_j, and moments[pair][piece][n] += the sums that
     * piecesToCoefficients turns into (dF/dc)^T w.
     *
     * @param w, jw    [3 * numAtoms]; jw is added to
     * @param moments  [numTypePairs * numPieces * 4], added to
     */
    void forceAdjoint(const PairTablePieces<Real>& table, const NeighborList<Real>& list, const Real* w, Real* jw,
                      double* moments, Executor& executor);
    /**
     * Moments of the distances, from which piecesToCoefficients makes the sums over pairs of B_k(r): dU/dc on a
     * potential's grid, the smooth RDF on a grid of bins.
     *
     * @param moments  [numTypePairs * numPieces * 4], added to
     */
    void moments(const TableGrid& grid, const NeighborList<Real>& list, double* moments, Executor& executor);

private:
    template <class Kernel>
    void overBlocks(const TableGrid& grid, const Real* pieces, const NeighborList<Real>& list, Executor& executor,
                    const Kernel& kernel);
    Real* vectorsOfBlock(int block, const NeighborList<Real>& list);
    void clearBlock(int block, const PairRows<Real>& rows, const NeighborList<Real>& list);
    template <class Target> void addToAtoms(Target* target, const NeighborList<Real>& list, Executor& executor);
    void addMoments(double* target, size_t size, int numBlocks);
    std::vector<Real> vectors, direction; // [numSlots + some idle slots][4], the former per block
    std::vector<PairSums> blockSums;
    std::vector<Real> rowScratch;
    std::vector<int> firstPiece, rowIndexScratch;
    std::vector<double> momentScratch;
};

} // namespace diffpair
