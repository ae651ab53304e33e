#pragma once
#include "DeviceLists.h"
#include "Steps.h"

namespace diffpair::cuda {

/** Pair operators for M frames, on any Queue; x and forces [M, N, 3] on the device, the rest on the host. */
template <class Real> struct FramesProblem {
    const PairTopology& topology;
    const std::vector<Box>& boxes; // [M]
    const TableGrid& grid;
    const Real* x;

    size_t numAtoms() const {
        return boxes.size() * topology.numAtoms;
    }
    int numFrames() const {
        return static_cast<int>(boxes.size());
    }
};

template <class Real, class Queue>
PairsView<Real> preparePairs(Queue& queue, DeviceLists<Real, Queue>& lists, const FramesProblem<Real>& problem,
                             const double* coefficients, int numTables) {
    const PairTopology& topology = problem.topology;
    Four<Real>* x = queue.template allocate<Four<Real>>(problem.numAtoms());
    queue.forEach(problem.numAtoms(), LoadPositions<Real>{problem.x, 3 * static_cast<size_t>(topology.numAtoms),
                                                          topology.numAtoms, uploadTypes<Real>(queue, topology), x});
    lists.update(x);
    return {lists.view, uploadTable<Real>(queue, problem.grid, topology.numTypes, coefficients, numTables), x};
}

/**
 * @param sums  [M, numTypePairs, numCoefficients], overwritten
 * @return the length that the list's rows need to have
 */
template <class Real, class Queue> int splineSums(Queue& queue, const FramesProblem<Real>& problem, double* sums, int capacity) {
    const TableGrid& grid = problem.grid;
    DeviceLists<Real, Queue> lists(queue, problem.topology, problem.boxes, grid.cutoff,
                                   std::vector<double>(problem.boxes.size(), 0.0), capacity);
    const PairsView<Real> pairs = preparePairs(queue, lists, problem, nullptr, 0);
    const int rows = numTypePairs(problem.topology.numTypes);
    DeviceMoments<Real, Queue> moments(queue, problem.numFrames(), problem.topology.numAtoms, rows * grid.numPieces());
    moments.add(pairs, DistanceTerms<Real>());
    const std::vector<double> total = moments.total();
    std::fill(sums, sums + static_cast<size_t>(problem.numFrames()) * rows * grid.numCoefficients(), 0.0);
    for (size_t row = 0; row < static_cast<size_t>(problem.numFrames()) * rows; row++)
        piecesToCoefficients(grid, total.data() + row * grid.numPieces() * 4, sums + row * grid.numCoefficients());
    return lists.longestRow();
}

/**
 * @param coefficients    [numTables, numTypePairs, numCoefficients]; one table for all frames or one for each
 * @param forces          [M, N, 3] on the device, overwritten
 * @param energy, virial  [M], overwritten
 * @return the length that the list's rows need to have
 */
template <class Real, class Queue>
int pairForces(Queue& queue, const FramesProblem<Real>& problem, const double* coefficients, int numTables, Real* forces,
               double* energy, double* virial, int capacity) {
    const TableGrid& grid = problem.grid;
    DeviceLists<Real, Queue> lists(queue, problem.topology, problem.boxes, grid.cutoff,
                                   std::vector<double>(problem.boxes.size(), 0.0), capacity);
    const PairsView<Real> pairs = preparePairs(queue, lists, problem, coefficients, numTables);
    const size_t pieces = static_cast<size_t>(numTypePairs(problem.topology.numTypes)) * grid.numPieces();
    double* ofAtoms[2] = {queue.template allocate<double>(problem.numAtoms()),
                          queue.template allocate<double>(problem.numAtoms())};
    queue.forEach(problem.numAtoms(), Forces<Real>{pairs, numTables > 1 ? pieces : 0, forces, ofAtoms[0], ofAtoms[1]});
    double* results[2] = {energy, virial};
    for (int k = 0; k < 2; k++) {
        double* total = queue.template allocate<double>(problem.boxes.size());
        queue.forTeams(problem.numFrames(), replicaTeam, replicaTeam * sizeof(double),
                       SumOverAtoms{ofAtoms[k], problem.topology.numAtoms, total});
        const std::vector<double> sums = queue.download(total, problem.boxes.size());
        std::copy(sums.begin(), sums.end(), results[k]);
    }
    return lists.longestRow();
}

} // namespace diffpair::cuda
