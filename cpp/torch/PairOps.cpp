// Single-configuration operators: sums of B-splines over pairs, pairs of neighbours, forces, and the tabulation map.
#include "Arguments.h"
#include "diffpair/NeighborList.h"
#include "diffpair/PairLoops.h"
#include "TorchExecutor.h"
#include <algorithm>
#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <torch/library.h>

namespace diffpair {

namespace {

using at::Tensor;

/** Frames in parallel if there are enough of them, otherwise threads within each frame. */
template <class Task> void overFrames(int64_t numFrames, const Task& task) {
    TorchExecutor threads;
    if (numFrames >= threads.numThreads())
        threads.run(static_cast<int>(numFrames), [&](int frame) {
            SerialExecutor serial;
            task(frame, serial);
        });
    else
        for (int64_t frame = 0; frame < numFrames; frame++)
            task(static_cast<int>(frame), threads);
}

/**
 * Turns the moments of sums over U(r) = sum_n a_n t^n into those of sums over r U'(r), piece by piece: with r = h (rho + t),
 * r U'(r) = (rho + t) (a_1 + 2 a_2 t + 3 a_3 t^2).
 */
void momentsOfRadialSlope(const TableGrid& grid, double* moments) {
    for (int p = 0; p < grid.numPieces(); p++) {
        double* m = moments + 4 * static_cast<size_t>(p);
        const double rho = grid.rMin / grid.spacing() + std::max(p - 1, 0); // piece 0 counts its t from rMin, downwards
        for (int n = 3; n > 0; n--)
            m[n] = n * (rho * m[n - 1] + m[n]);
        m[0] = 0;
    }
}

/**
 * Moments of the listed pairs as coefficients, [numTypePairs][numCoefficients]: sums over pairs of B_k(r), or of r B_k'(r).
 */
template <class Real>
void sumsOfList(bool radialSlope, const TableGrid& grid, const PairList<Real>& list, double* sums, Executor& executor) {
    const int numPairs = numTypePairs(list.numTypes);
    std::vector<double> moments(static_cast<size_t>(numPairs) * grid.numPieces() * 4, 0.0);
    PairLoops<Real>().moments(grid, list, moments.data(), executor);
    for (int pair = 0; pair < numPairs; pair++) {
        double* own = moments.data() + static_cast<size_t>(pair) * grid.numPieces() * 4;
        if (radialSlope)
            momentsOfRadialSlope(grid, own);
        piecesToCoefficients(grid, own, sums + static_cast<size_t>(pair) * grid.numCoefficients());
    }
}

/** Sums over pairs of B_k(r), or of r B_k'(r). */
Tensor sumsOverPairs(bool radialSlope, const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                     int64_t numTypes, double rMin, double cutoff, int64_t knots) {
    const Tensor frames = checkedFrames(x, types);
    const TableGrid grid = readGrid(rMin, cutoff, knots);
    const PairTopology topology = readTopology(types, exclusions, numTypes);
    const std::vector<Box> box = readBoxes(boxes, frames.size(0));
    checkReach(grid.cutoff, box);
    const int numPairs = numTypePairs(topology.numTypes);
    Tensor sums = at::zeros({frames.size(0), numPairs, grid.numCoefficients()}, frames.options().dtype(at::kDouble));
    AT_DISPATCH_FLOATING_TYPES(frames.scalar_type(), "diffpair::spline_sums", [&] {
        overFrames(frames.size(0), [&](int m, Executor& executor) {
            const scalar_t* positions = frames.data_ptr<scalar_t>() + static_cast<size_t>(m) * 3 * topology.numAtoms;
            NeighborList<scalar_t> list(topology, grid.cutoff, 0.0);
            list.rebuild(positions, box[m], executor);
            sumsOfList(radialSlope, grid, list.pairs(), sums.data_ptr<double>() + m * sums.stride(0), executor);
        });
    });
    return sums;
}

/**
 * Sums over pairs of B_k(r) on several grids, one neighbour list for all of them.
 *
 * @param single  distances in single precision: positions are folded before they lose digits, as in the plugin, and the
 *                moments are added up in double precision
 */
std::vector<Tensor> frameSums(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                              int64_t numTypes, at::ArrayRef<double> rMins, at::ArrayRef<double> cutoffs, at::IntArrayRef knots,
                              bool single) {
    const Tensor frames = checkedFrames(x, types);
    TORCH_CHECK(!rMins.empty() && rMins.size() == cutoffs.size() && rMins.size() == knots.size(),
                "Every grid needs its r_min, cutoff and knots.");
    const PairTopology topology = readTopology(types, exclusions, numTypes);
    const std::vector<Box> box = readBoxes(boxes, frames.size(0));
    const double reach = *std::max_element(cutoffs.begin(), cutoffs.end());
    checkReach(reach, box);
    std::vector<TableGrid> grids;
    std::vector<Tensor> sums;
    for (size_t k = 0; k < knots.size(); k++) {
        grids.push_back(readGrid(rMins[k], cutoffs[k], knots[k]));
        sums.push_back(at::zeros({frames.size(0), numTypePairs(topology.numTypes), grids[k].numCoefficients()},
                                 frames.options().dtype(at::kDouble)));
    }
    AT_DISPATCH_FLOATING_TYPES(frames.scalar_type(), "diffpair::frame_sums", [&] {
        overFrames(frames.size(0), [&](int m, Executor& executor) {
            const scalar_t* positions = frames.data_ptr<scalar_t>() + static_cast<size_t>(m) * 3 * topology.numAtoms;
            const auto measure = [&](auto list) {
                list.rebuild(positions, box[m], executor);
                for (size_t k = 0; k < grids.size(); k++)
                    sumsOfList(false, grids[k], list.pairs(), sums[k].data_ptr<double>() + m * sums[k].stride(0), executor);
            };
            if (single)
                measure(NeighborList<float>(topology, reach, 0.0));
            else
                measure(NeighborList<scalar_t>(topology, reach, 0.0));
        });
    });
    return sums;
}

Tensor splineSums(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions, int64_t numTypes,
                  double rMin, double cutoff, int64_t knots) {
    return sumsOverPairs(false, x, boxes, types, exclusions, numTypes, rMin, cutoff, knots);
}

Tensor virialSums(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions, int64_t numTypes,
                  double rMin, double cutoff, int64_t knots) {
    return sumsOverPairs(true, x, boxes, types, exclusions, numTypes, rMin, cutoff, knots);
}

/** The list's pairs as atoms, each pair once. */
template <class Real> std::vector<int64_t> listedPairs(const PairList<Real>& list) {
    std::vector<int64_t> pairs;
    pairs.reserve(2 * list.numPairs());
    for (int slot = 0; slot < list.numRows; slot++)
        for (const int* partner = list.rowBegin(slot); partner < list.rowEnd(slot); partner++) {
            pairs.push_back(list.atomOfSlot[slot]);
            pairs.push_back(list.atomOfSlot[slotAtOffset(*partner)]);
        }
    return pairs;
}

Tensor neighborPairs(const Tensor& x, const Tensor& box, const Tensor& exclusions, double cutoff) {
    const Tensor frame = checkedVectors(x.unsqueeze(0), "x");
    TORCH_CHECK(frame.dim() == 3, "x must have the shape [N, 3], not ", x.sizes(), ".");
    TORCH_CHECK(cutoff > 0, "Neighbours need a positive cutoff, not ", cutoff, " nm.");
    const std::vector<Box> boxes = readBoxes(box.unsqueeze(0), 1);
    checkReach(cutoff, boxes);
    const PairTopology topology = readTopology(at::zeros({x.size(0)}, at::kInt), exclusions, 1);
    Tensor result;
    AT_DISPATCH_FLOATING_TYPES(frame.scalar_type(), "diffpair::neighbor_pairs", [&] {
        TorchExecutor executor;
        NeighborList<scalar_t> list(topology, cutoff, 0.0);
        list.rebuild(frame.data_ptr<scalar_t>(), boxes[0], executor);
        std::vector<int64_t> pairs = listedPairs(list.pairs());
        result = at::from_blob(pairs.data(), {static_cast<int64_t>(pairs.size() / 2), 2}, at::kLong).clone();
    });
    return result;
}

std::tuple<Tensor, Tensor, Tensor> pairForces(const Tensor& x, const Tensor& boxes, const Tensor& types, const Tensor& exclusions,
                                              int64_t numTypes, double rMin, double cutoff, const Tensor& coefficients) {
    const Tensor frames = checkedFrames(x, types);
    const PairTopology topology = readTopology(types, exclusions, numTypes);
    const int64_t numFrames = frames.size(0), numPairs = numTypePairs(topology.numTypes);
    const bool perFrame = coefficients.dim() == 3;
    const Tensor c = perFrame ? checkedDoubles(coefficients, "coefficients", {numFrames, numPairs, -1})
                              : checkedDoubles(coefficients, "coefficients", {numPairs, -1});
    const TableGrid grid = readGrid(rMin, cutoff, c.size(-1) - 2);
    const std::vector<Box> box = readBoxes(boxes, numFrames);
    checkReach(grid.cutoff, box);
    Tensor forces = at::zeros_like(frames);
    Tensor energy = at::zeros({numFrames}, frames.options().dtype(at::kDouble)), virial = at::zeros_like(energy);
    AT_DISPATCH_FLOATING_TYPES(frames.scalar_type(), "diffpair::pair_forces", [&] {
        const PairTablePieces<scalar_t> shared(grid, topology.numTypes, c.data_ptr<double>());
        overFrames(numFrames, [&](int m, Executor& executor) {
            const size_t offset = static_cast<size_t>(m) * 3 * topology.numAtoms;
            PairTablePieces<scalar_t> own;
            if (perFrame)
                own.set(grid, topology.numTypes, c.data_ptr<double>() + static_cast<size_t>(m) * c.stride(0));
            NeighborList<scalar_t> list(topology, grid.cutoff, 0.0);
            list.rebuild(frames.data_ptr<scalar_t>() + offset, box[m], executor);
            PairSums sums;
            PairLoops<scalar_t>().forces(perFrame ? own : shared, list.pairs(), forces.data_ptr<scalar_t>() + offset, &sums,
                                         executor);
            energy.data_ptr<double>()[m] = sums.energy;
            virial.data_ptr<double>()[m] = sums.virial;
        });
    });
    return {forces, energy, virial};
}

/** Rows of `values` through one of the two directions of the tabulation map. */
template <class Map> Tensor mapRows(const Tensor& rows, int64_t width, const Map& map) {
    Tensor result = at::zeros({rows.size(0), width}, rows.options());
    for (int64_t i = 0; i < rows.size(0); i++)
        map(rows.data_ptr<double>() + i * rows.size(1), result.data_ptr<double>() + i * width);
    return result;
}

Tensor interpolate(const Tensor& values, double rMin, double cutoff) {
    const Tensor v = checkedDoubles(values, "values", {-1, -1});
    const TableGrid grid = readGrid(rMin, cutoff, v.size(1));
    return mapRows(v, grid.numCoefficients(), [&](const double* from, double* to) { interpolateTable(grid, from, to); });
}

Tensor interpolateBackward(const Tensor& gradCoefficients, double rMin, double cutoff) {
    const Tensor g = checkedDoubles(gradCoefficients, "gradient of coefficients", {-1, -1});
    const TableGrid grid = readGrid(rMin, cutoff, g.size(1) - 2);
    return mapRows(g, grid.numKnots, [&](const double* from, double* to) { interpolateTableTranspose(grid, from, to); });
}

Tensor switching(const Tensor& r, double cutoff, double width) {
    const Tensor radii = checkedDoubles(r, "r", {-1});
    Tensor result = at::empty_like(radii);
    for (int64_t i = 0; i < radii.numel(); i++)
        result.data_ptr<double>()[i] = switchingFunction(radii.data_ptr<double>()[i], cutoff, width);
    return result;
}

} // namespace

TORCH_LIBRARY(diffpair, m) {
    m.def("spline_sums(Tensor x, Tensor boxes, Tensor types, Tensor exclusions, int num_types, float r_min, float cutoff, int "
          "knots) "
          "-> Tensor");
    m.def("virial_sums(Tensor x, Tensor boxes, Tensor types, Tensor exclusions, int num_types, float r_min, float cutoff, int "
          "knots) "
          "-> Tensor");
    m.def("frame_sums(Tensor x, Tensor boxes, Tensor types, Tensor exclusions, int num_types, float[] r_min, float[] cutoff, "
          "int[] knots, bool single) -> Tensor[]");
    m.def("neighbor_pairs(Tensor x, Tensor box, Tensor exclusions, float cutoff) -> Tensor");
    m.def("pair_forces(Tensor x, Tensor boxes, Tensor types, Tensor exclusions, int num_types, float r_min, float cutoff, "
          "Tensor coefficients) -> (Tensor forces, Tensor energy, Tensor virial)");
    m.def("interpolate_table(Tensor values, float r_min, float cutoff) -> Tensor");
    m.def("interpolate_table_backward(Tensor grad, float r_min, float cutoff) -> Tensor");
    m.def("switching(Tensor r, float cutoff, float width) -> Tensor");
}

TORCH_LIBRARY_IMPL(diffpair, CPU, m) {
    m.impl("spline_sums", splineSums);
    m.impl("virial_sums", virialSums);
    m.impl("frame_sums", frameSums);
    m.impl("neighbor_pairs", neighborPairs);
    m.impl("pair_forces", pairForces);
    m.impl("interpolate_table", interpolate);
    m.impl("interpolate_table_backward", interpolateBackward);
    m.impl("switching", switching);
}

} // namespace diffpair
