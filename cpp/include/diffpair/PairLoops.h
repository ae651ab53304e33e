#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairList.h"
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

/** The sum over pairs of r_a F_b for the components (a, b) = xx, yy, zz, xy, xz, yz, kJ/mol; its trace is PairSums::virial. */
struct VirialTensor {
    double components[6] = {0, 0, 0, 0, 0, 0};
};

/**
 * The pair loops: written once, used by the plugin's CPU platform, by the torch operators and in LAMMPS. All of them run at
 * the positions that the list holds, over static blocks of its rows, and reduce in block order: the same bits
 * for the same number of threads. An object keeps its scratch memory between calls; use one per concurrent caller.
 */
template <class Real> class PairLoops {
public:
    /**
     * Forces, added to f.
     *
     * @param f       [3 * numAtoms] in kJ/mol/nm, added to; may be null
     * @param sums    energy, virial and counts; null skips them
     * @param tensor  the virial by components; null, which is faster, skips it; wanted only where sums are
     */
    template <class Target>
    void forces(const PairTablePieces<Real>& table, const PairList<Real>& list, Target* f, PairSums* sums, Executor& executor,
                VirialTensor* tensor = nullptr);
    /**
     * The adjoint of the forces along w: jw_i += sum_j (dF_j/dx_i)^T w_j, and moments[pair][piece][n] += the sums that
     * piecesToCoefficients turns into (dF/dc)^T w.
     *
     * @param w, jw    [3 * numAtoms]; jw is added to
     * @param moments  [numTypePairs * numPieces * 4], added to
     */
    void forceAdjoint(const PairTablePieces<Real>& table, const PairList<Real>& list, const Real* w, Real* jw, double* moments,
                      Executor& executor);
    /**
     * Moments of the distances, from which piecesToCoefficients makes the sums over pairs of B_k(r): dU/dc on a
     * potential's grid, the smooth RDF on a grid of bins.
     *
     * @param moments  [numTypePairs * numPieces * 4], added to
     */
    void moments(const TableGrid& grid, const PairList<Real>& list, double* moments, Executor& executor);

private:
    template <class Kernel>
    void overBlocks(const TableGrid& grid, const Real* pieces, const PairList<Real>& list, Executor& executor,
                    const Kernel& kernel);
    Real* vectorsOfBlock(int block, const PairList<Real>& list);
    void clearBlock(int block, int numBlocks, const PairList<Real>& list);
    template <class Target> void addToAtoms(Target* target, const PairList<Real>& list, Executor& executor);
    void addMoments(double* target, size_t size, int numBlocks);
    std::vector<Real> vectors, direction; // [numSlots + some idle slots][4], the former per block
    std::vector<PairSums> blockSums;
    std::vector<VirialTensor> blockTensors;
    std::vector<Real> rowScratch;
    std::vector<int> firstPiece, rowIndexScratch;
    std::vector<double> momentScratch;
};

} // namespace diffpair
