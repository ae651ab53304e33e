#pragma once
#include "CellList.h"
#include "diffpair/PairSystem.h"
#include "Moments.h"
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace diffpair::cuda {

/**
 * What a Queue is: memory of the device and kernels on it, in order of submission.
 *
 *     T* allocate<T>(n)         zeroed; lives as long as the queue
 *     T* upload(vector<T>)      a copy on the device
 *     vector<T> download(T*, n) waits for what was submitted
 *     forEach(n, f)             f(0) .. f(n - 1)
 *     forTeams(n, size, bytes, f)
 */

/** Threads of a team that shares a replica. */
constexpr int replicaTeam = 256;

/** Rows of the list grow to this at first; where they are too short, all is done again with longer ones. */
inline int guessCapacity(const PairTopology& topology, const std::vector<Box>& boxes, double reach) {
    double most = 100;
    for (const Box& box : boxes)
        if (box.periodic)
            most = std::max(most, topology.numAtoms / box.volume() * 4.1887902 * reach * reach * reach);
    return std::max(1, static_cast<int>(std::min<double>(topology.numAtoms - 1, 1.25 * most + 20)));
}

/** Runs attempt(capacity), which returns how long the rows would have to be, until they are. */
template <class Attempt> void withLongEnoughRows(int capacity, const Attempt& attempt) {
    for (int needed = attempt(capacity); needed > capacity; needed = attempt(capacity))
        capacity = needed + needed / 8;
}

/** Geometry for the kernels. */
template <class Real> ReplicaBox<Real> replicaBox(const Box& box, double cutoff, double skin, int numAtoms) {
    const double reach = cutoff + skin, width = reach * 1.0001; // rounding may put an atom into the next cell
    const int most = std::clamp(static_cast<int>(std::cbrt(numAtoms)) + 1, 3, 64);
    ReplicaBox<Real> result{
        LoopBox<Real>(box), {}, {}, static_cast<Real>(reach * reach), static_cast<Real>(0.4999 * skin * 0.4999 * skin)};
    double* h = result.cell;
    if (!box.periodic) {
        h[0] = h[4] = h[8] = most * width;
        result.cells[0] = result.cells[1] = result.cells[2] = most;
        return result;
    }
    std::copy(box.vectors, box.vectors + 9, h);
    // Distances between opposite faces: the volume over the area of the face.
    const double area[3] = {std::sqrt(h[4] * h[4] * h[8] * h[8] + h[3] * h[3] * h[8] * h[8] +
                                      (h[3] * h[7] - h[4] * h[6]) * (h[3] * h[7] - h[4] * h[6])),
                            h[0] * std::sqrt(h[8] * h[8] + h[7] * h[7]), h[0] * h[4]};
    for (int d = 0; d < 3; d++)
        result.cells[d] = std::clamp(static_cast<int>(box.volume() / area[d] / width), 1, most);
    return result;
}

/** Neighbour lists of all replicas and their upkeep. */
template <class Real, class Queue> class DeviceLists {
public:
    /** @param skins  [R] */
    DeviceLists(Queue& queue, const PairTopology& topology, const std::vector<Box>& boxes, double cutoff,
                const std::vector<double>& skins, int capacity)
        : queue(queue), numReplicas(static_cast<int>(boxes.size())) {
        std::vector<ReplicaBox<Real>> geometry;
        int maxCells = 1;
        for (int r = 0; r < numReplicas; r++) {
            geometry.push_back(replicaBox<Real>(boxes[r], cutoff, skins[r], topology.numAtoms));
            maxCells = std::max(maxCells, geometry.back().numCells());
        }
        const size_t atoms = static_cast<size_t>(numReplicas) * topology.numAtoms;
        const size_t cells = static_cast<size_t>(numReplicas) * (maxCells + 1);
        const auto ints = [&](size_t count) { return queue.template allocate<int>(count); };
        view.numAtoms = topology.numAtoms, view.capacity = capacity, view.maxCells = maxCells;
        view.boxes = queue.upload(geometry);
        if (!topology.exclusions.empty()) {
            view.exclusionStart = queue.upload(topology.exclusions.start);
            view.exclusions = queue.upload(topology.exclusions.partners);
        }
        view.known = ints(numReplicas), view.rebuilt = ints(numReplicas), view.notFinite = ints(numReplicas);
        view.cellStart = ints(cells), view.cursor = ints(cells);
        view.cellOf = ints(atoms), view.unsorted = ints(atoms), view.cellAtoms = ints(atoms);
        view.numOwn = ints(atoms), view.numOthers = ints(atoms), view.longest = ints(atoms);
        view.neighbors = ints(atoms * capacity);
        view.origin = queue.template allocate<Four<Real>>(atoms);
    }

    /** Bring the lists up to date for positions x [R, N]; the device decides which of them it builds anew. */
    void update(const Four<Real>* x, bool force = false) {
        queue.forTeams(numReplicas, replicaTeam, replicaTeam * sizeof(double), BinAtoms<Real>{view, x, force});
        queue.forEach(static_cast<size_t>(numReplicas) * view.numAtoms, SearchNeighbors<Real>{view, x});
    }

    /** Longest row that was asked for so far; throws std::domain_error if positions were not finite or too large. */
    int longestRow() {
        const std::vector<int> rows = queue.download(view.longest, static_cast<size_t>(numReplicas) * view.numAtoms);
        const int longest = rows.empty() ? 0 : *std::max_element(rows.begin(), rows.end());
        if (longest <= view.capacity) // else not even that can be judged
            for (int strange : queue.download(view.notFinite, numReplicas))
                if (strange)
                    throw std::domain_error("The coordinates of a particle are not finite, or not within 1e9 nm.");
        return longest;
    }

    ListView<Real> view;

private:
    Queue& queue;
    const int numReplicas;
};

/** A table on the device, [numTables] of them behind each other. */
template <class Real, class Queue>
PairTable<Real> uploadTable(Queue& queue, const TableGrid& grid, int numTypes, const double* coefficients, int numTables) {
    grid.validateTables(numTypes);
    const int numPairs = numTypePairs(numTypes), numPieces = grid.numPieces();
    std::vector<Four<Real>> pieces(coefficients ? static_cast<size_t>(numTables) * numPairs * numPieces : 0);
    for (size_t row = 0; row < pieces.size() / numPieces; row++) {
        std::vector<Real> own(4 * static_cast<size_t>(numPieces));
        coefficientsToPieces(grid, coefficients + row * grid.numCoefficients(), own.data());
        for (int p = 0; p < numPieces; p++)
            pieces[row * numPieces + p] = {own[4 * p], own[4 * p + 1], own[4 * p + 2], own[4 * p + 3]};
    }
    std::vector<int> firstPiece;
    for (int a = 0; a < numTypes; a++)
        for (int b = 0; b < numTypes; b++)
            firstPiece.push_back(typePairIndex(a, b, numTypes) * numPieces);
    return {queue.upload(pieces),
            queue.upload(firstPiece),
            numTypes,
            numPieces,
            static_cast<Real>(grid.rMin),
            static_cast<Real>(1 / grid.spacing()),
            static_cast<Real>(grid.cutoff * grid.cutoff)};
}

/** Types as the fourth number of positions. */
template <class Real, class Queue> const Real* uploadTypes(Queue& queue, const PairTopology& topology) {
    return queue.upload(std::vector<Real>(topology.types.begin(), topology.types.end()));
}

/** Moments of all replicas, added up on the device. */
template <class Real, class Queue> class DeviceMoments {
public:
    DeviceMoments(Queue& queue, int numReplicas, int numAtoms, int numPieces)
        : queue(queue), numReplicas(numReplicas), numPieces(numPieces) {
        // Enough teams to fill a GPU, and atoms enough for each to pay for adding up its threads' sums.
        constexpr int64_t wantedTeams = 1024;
        const int64_t wanted = std::max<int64_t>(1, static_cast<int64_t>(numReplicas) * numAtoms / wantedTeams);
        atomsPerTeam = static_cast<int>((wanted + teamSize - 1) / teamSize * teamSize);
        teamsPerReplica = std::max(1, (numAtoms + atomsPerTeam - 1) / atomsPerTeam);
        sums = queue.template allocate<double>(static_cast<size_t>(numReplicas) * teamsPerReplica * numPieces * 4);
    }

    template <class Terms> void add(const PairsView<Real>& pairs, const Terms& terms) {
        constexpr size_t sharedMemory = 48 * 1024; // what every GPU grants without being asked
        constexpr int most = sharedMemory / (sizeof(Real) * teamSize * Terms::count);
        const int windowSize = std::min(most, numPieces);
        for (int window = 0; window < numPieces; window += windowSize)
            queue.forTeams(
                numReplicas * teamsPerReplica, teamSize, sizeof(Real) * teamSize * Terms::count * windowSize,
                AddMoments<Real, Terms>{pairs, terms, teamsPerReplica, atomsPerTeam, window, windowSize, numPieces, sums});
    }

    /** [R, numPieces, 4] */
    std::vector<double> total() {
        const size_t size = static_cast<size_t>(numReplicas) * numPieces * 4;
        double* result = queue.template allocate<double>(size);
        queue.forEach(size, SumOverTeams{sums, teamsPerReplica, 4 * numPieces, result});
        return queue.download(result, size);
    }

private:
    static constexpr int teamSize = 32;
    Queue& queue;
    const int numReplicas, numPieces;
    int atomsPerTeam, teamsPerReplica;
    double* sums;
};

} // namespace diffpair::cuda
