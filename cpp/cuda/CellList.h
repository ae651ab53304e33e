#pragma once
#include "diffpair/Limits.h"
#include "MinimumImage.h"
#include "Team.h"
#include <cmath>
#include <cstddef>

namespace diffpair::cuda {

/** A replica's box as the kernels use it, and its grid of cells at least as wide as the list reaches. */
template <class Real> struct ReplicaBox {
    LoopBox<Real> images;
    double cell[9];                 // vectors of the grid; its cells go on periodically, also where the box does not
    int cells[3];                   // along each of them
    Real reachSquared, moveSquared; // of listed pairs; displacement at which the list is built anew
    DIFFPAIR_HD int numCells() const {
        return cells[0] * cells[1] * cells[2];
    }
    DIFFPAIR_HD void nearestImage(Real& dx, Real& dy, Real& dz) const {
        if (images.triclinic)
            images.template apply<Images::Triclinic>(dx, dy, dz);
        else // shifts nothing without periodicity
            images.template apply<Images::Rectangular>(dx, dy, dz);
    }
};

/**
 * Full neighbour lists of all replicas, on the device. A row has two parts: from its front on the partners of the pairs that
 * are the atom's own (every pair is that of one of its atoms), from its end backwards the others. Rows lie across memory, so
 * that threads of neighbouring atoms read neighbouring numbers.
 */
template <class Real> struct ListView {
    int numAtoms = 0, capacity = 0, maxCells = 0;
    const ReplicaBox<Real>* boxes = nullptr;                          // [R]
    const int *exclusionStart = nullptr, *exclusions = nullptr;       // as in Exclusions; null if there are none
    int* known = nullptr;                                             // [R]: there is a list
    int* rebuilt = nullptr;                                           // [R]: the last update built it
    int* notFinite = nullptr;                                         // [R]: positions were not numbers, or too large
    int *cellStart = nullptr, *cursor = nullptr;                      // [R, maxCells + 1]
    int *cellOf = nullptr, *unsorted = nullptr, *cellAtoms = nullptr; // [R, N]
    int *numOwn = nullptr, *numOthers = nullptr, *longest = nullptr;  // [R, N]: entries of both parts of a row; most so far
    int* neighbors = nullptr;                                         // [R, capacity, N]
    Four<Real>* origin = nullptr;                                     // [R, N]: positions that the list was built from

    /** Call use(partner's index in [R, N]) for the neighbours of an atom, in a fixed order. */
    template <bool ownOnly, class Use> DIFFPAIR_HD void overNeighbors(size_t atom, const Use& use) const {
        const size_t first = atom / numAtoms * numAtoms;
        const int* row = neighbors + first * capacity + (atom - first);
        const int own = numOwn[atom], others = ownOnly ? 0 : numOthers[atom];
        for (int k = 0; k < own; k++)
            use(first + row[static_cast<size_t>(k) * numAtoms]);
        for (int k = capacity - 1; k >= capacity - others; k--)
            use(first + row[static_cast<size_t>(k) * numAtoms]);
    }
};

/** Of the two atoms of a pair one owns it; the same number for each on average. */
DIFFPAIR_HD inline bool ownsPair(int i, int j) {
    return (i < j) == (((i + j) & 1) == 1);
}

/** Cell of a position. */
template <class Real> DIFFPAIR_HD int cellOfPosition(const ReplicaBox<Real>& box, const Four<Real>& x) {
    const double* h = box.cell;
    double s[3];
    s[2] = x.z / h[8];
    s[1] = (x.y - s[2] * h[7]) / h[4];
    s[0] = (x.x - s[1] * h[3] - s[2] * h[6]) / h[0];
    int index = 0;
    for (int d = 0; d < 3; d++) {
        const int cell = static_cast<int>((s[d] - std::floor(s[d])) * box.cells[d]);
        index = index * box.cells[d] + (cell < box.cells[d] ? cell : box.cells[d] - 1);
    }
    return index;
}

/**
 * Per replica, by a team: decides whether the list is too old, and if so sorts the atoms into cells, by index within a cell.
 * Shared memory: a double for each thread.
 */
template <class Real> struct BinAtoms {
    ListView<Real> list;
    const Four<Real>* x; // [R, N]
    bool force;          // whatever the displacements

    template <class Team> DIFFPAIR_HD void operator()(Team& team, int replica, char* shared) const {
        double* scratch = reinterpret_cast<double*>(shared);
        const ReplicaBox<Real> box = list.boxes[replica];
        const size_t first = static_cast<size_t>(replica) * list.numAtoms;
        const bool known = list.known[replica] != 0;
        double moved = 0, strange = 0;
        for (int i = team.rank(); i < list.numAtoms; i += team.size()) {
            const Four<Real> now = x[first + i];
            const Real most = Real(maxCoordinate);
            if (!(std::fabs(now.x) <= most && std::fabs(now.y) <= most && std::fabs(now.z) <= most))
                strange = 1;
            if (known) {
                const Four<Real> then = list.origin[first + i];
                const Real dx = now.x - then.x, dy = now.y - then.y, dz = now.z - then.z;
                if (!(dx * dx + dy * dy + dz * dz < box.moveSquared))
                    moved = 1;
            }
        }
        strange = sumOverTeam(team, strange, scratch);
        moved = sumOverTeam(team, moved, scratch);
        const bool rebuild = strange == 0 && (force || !known || moved > 0);
        if (team.rank() == 0) {
            list.rebuilt[replica] = rebuild;
            if (rebuild)
                list.known[replica] = 1;
            if (strange > 0)
                list.notFinite[replica] = 1;
        }
        if (rebuild)
            sort(team, replica, box, scratch);
    }

private:
    template <class Team> DIFFPAIR_HD void sort(Team& team, int replica, const ReplicaBox<Real>& box, double* scratch) const {
        const size_t first = static_cast<size_t>(replica) * list.numAtoms;
        const int numCells = box.numCells(), rank = team.rank(), size = team.size();
        int* start = list.cellStart + static_cast<size_t>(replica) * (list.maxCells + 1);
        int* cursor = list.cursor + static_cast<size_t>(replica) * (list.maxCells + 1);
        for (int c = rank; c < numCells; c += size)
            cursor[c] = 0;
        team.sync();
        for (int i = rank; i < list.numAtoms; i += size) {
            list.origin[first + i] = x[first + i];
            const int cell = cellOfPosition(box, x[first + i]);
            list.cellOf[first + i] = cell;
            countUp(cursor + cell);
        }
        team.sync();
        // Where each cell begins: every thread adds up a range of cells, after the sum of those before.
        const int begin = static_cast<int>(static_cast<long long>(numCells) * rank / size);
        const int end = static_cast<int>(static_cast<long long>(numCells) * (rank + 1) / size);
        int sum = 0;
        for (int c = begin; c < end; c++)
            sum += cursor[c];
        scratch[rank] = sum;
        team.sync();
        int before = 0;
        for (int k = 0; k < rank; k++)
            before += static_cast<int>(scratch[k]);
        for (int c = begin; c < end; c++) {
            start[c] = before;
            before += cursor[c];
            cursor[c] = start[c];
        }
        if (rank == size - 1)
            start[numCells] = before;
        team.sync();
        for (int i = rank; i < list.numAtoms; i += size)
            list.unsorted[first + countUp(cursor + list.cellOf[first + i])] = i;
        team.sync();
        // Threads arrive in any order: within its cell an atom's place is the number of atoms with a smaller index.
        for (int i = rank; i < list.numAtoms; i += size) {
            const int cell = list.cellOf[first + i];
            int place = start[cell];
            for (int k = start[cell]; k < start[cell + 1]; k++)
                place += list.unsorted[first + k] < i;
            list.cellAtoms[first + place] = i;
        }
    }
};

/** Per atom: the row of its neighbours, where BinAtoms asked for a new list. */
template <class Real> struct SearchNeighbors {
    ListView<Real> list;
    const Four<Real>* x; // [R, N]

    DIFFPAIR_HD void operator()(size_t atom) const {
        const int replica = static_cast<int>(atom / list.numAtoms), i = static_cast<int>(atom % list.numAtoms);
        if (!list.rebuilt[replica])
            return;
        const ReplicaBox<Real> box = list.boxes[replica]; // a copy: it then stays in registers
        const int* start = list.cellStart + static_cast<size_t>(replica) * (list.maxCells + 1);
        const int *n = box.cells, own = list.cellOf[atom];
        const int at[3] = {own / (n[1] * n[2]), own / n[2] % n[1], own % n[2]};
        int found[2] = {0, 0}; // own, others
        for (int a = 0; a < neighborCells(n[0]); a++)
            for (int b = 0; b < neighborCells(n[1]); b++)
                for (int c = 0; c < neighborCells(n[2]); c++) {
                    const int cell = (neighborCell(at[0], a, n[0]) * n[1] + neighborCell(at[1], b, n[1])) * n[2] +
                                     neighborCell(at[2], c, n[2]);
                    searchCell(box, atom, i, start[cell], start[cell + 1], found);
                }
        const int total = found[0] + found[1];
        list.longest[atom] = total > list.longest[atom] ? total : list.longest[atom];
        // Rows that are too short are noticed in the end, and all is done again with longer ones.
        const bool fits = total <= list.capacity;
        list.numOwn[atom] = fits ? found[0] : 0;
        list.numOthers[atom] = fits ? found[1] : 0;
    }

private:
    DIFFPAIR_HD static int neighborCells(int cells) {
        return cells < 3 ? cells : 3;
    }
    DIFFPAIR_HD static int neighborCell(int at, int k, int cells) {
        return (at + k + (cells < 3 ? 0 : cells - 1)) % cells;
    }
    DIFFPAIR_HD void searchCell(const ReplicaBox<Real>& box, size_t atom, int i, int begin, int end, int (&found)[2]) const {
        const size_t first = atom - i;
        int* row = list.neighbors + first * list.capacity + i;
        const Four<Real> xi = x[atom];
        for (int k = begin; k < end; k++) {
            const int j = list.cellAtoms[first + k];
            const Four<Real> xj = x[first + j];
            Real dx = xi.x - xj.x, dy = xi.y - xj.y, dz = xi.z - xj.z;
            box.nearestImage(dx, dy, dz);
            if (!(dx * dx + dy * dy + dz * dz < box.reachSquared) || i == j || excluded(i, j))
                continue;
            const bool own = ownsPair(i, j);
            if (found[0] + found[1] < list.capacity)
                row[static_cast<size_t>(own ? found[0] : list.capacity - 1 - found[1]) * list.numAtoms] = j;
            found[own ? 0 : 1]++;
        }
    }
    DIFFPAIR_HD bool excluded(int i, int j) const {
        if (list.exclusions == nullptr)
            return false;
        for (int k = list.exclusionStart[i]; k < list.exclusionStart[i + 1]; k++)
            if (list.exclusions[k] == j)
                return true;
        return false;
    }
};

} // namespace diffpair::cuda
