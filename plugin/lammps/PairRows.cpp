#include "PairRows.h"
#include "neigh_list.h"
#include <algorithm>
#include <cmath>

namespace diffpair::lammps {

/** From numbers of entries, at the place after each row, to where rows begin; and memory for all entries. */
void PairRows::Rows::layOut() {
    const int numRows = static_cast<int>(start.size()) - 1;
    for (int row = 0; row < numRows; row++)
        start[row + 1] += start[row];
    longest = 0;
    for (int row = 0; row < numRows; row += clusterSize)
        longest = std::max(longest, static_cast<int>(start[row + clusterSize] - start[row]));
    next.assign(start.begin(), start.end() - 1);
    neighbors.resize(start.back() + widestPack);
    std::fill(neighbors.end() - widestPack, neighbors.end(), 0);
}

void PairRows::begin(const Atoms& atoms) {
    numAll = atoms.numAll;
    const int numRows = (atoms.numLocal + clusterSize - 1) / clusterSize * clusterSize, numSlots = std::max(numRows, numAll);
    fours.resize(numSlots);
    std::fill(fours.begin() + numAll, fours.end(), Four{});
    forceOn.resize(numSlots);
    for (int slot = 0; slot < numSlots; slot++)
        forceOn[slot] = slot < (atoms.newton ? numAll : atoms.numLocal) ? slot : -1;
    noImages.assign(numRows / clusterSize, 0);
    main.start.assign(numRows + 1, 0);
    halved.start.assign(numRows + 1, 0);
    scaled.clear();
}

void PairRows::setReach(double cutoff, double skin) {
    list = NeighborList<double>(topology, cutoff, skin);
}

namespace {

/**
 * Whether a pair of a local atom and a ghost is this process's, where it is to be one process's alone. The same question,
 * asked by the ghost's owner of the local atom's copy there, has the other answer: by the atoms' numbers, as in LAMMPS's lists
 * of triclinic boxes, since the rounding of shifted coordinates may differ between processes. An atom and its own image are as
 * far apart as the box is wide.
 */
bool isOurs(const Atoms& atoms, int local, int ghost) {
    const LAMMPS_NS::tagint own = atoms.tags[local], other = atoms.tags[ghost];
    if (own != other)
        return ((own + other) % 2 != 0) == (own > other);
    const double *x = atoms.x + 3 * static_cast<size_t>(local), *y = atoms.x + 3 * static_cast<size_t>(ghost);
    double longest = 0;
    for (int d = 0; d < 3; d++)
        longest = std::max(longest, std::abs(y[d] - x[d]));
    for (int d = 2; d > 0; d--)
        if (std::abs(y[d] - x[d]) > 1e-6 * longest)
            return y[d] > x[d];
    return y[0] > x[0];
}

} // namespace

void PairRows::search(const Atoms& atoms) {
    topology.numAtoms = atoms.numAll; // its place is all that the list has kept of it
    list.rebuild(atoms.x, Box::none(), executor);
    const PairList<double> found = list.pairs();
    begin(atoms);
    const auto overPairs = [&](const auto& use) { // use(local atom, other atom)
        for (int slot = 0; slot < found.numRows; slot++) {
            const int i = found.atomOfSlot[slot];
            for (const int* partner = found.rowBegin(slot); partner < found.rowEnd(slot); partner++) {
                const int j = found.atomOfSlot[slotAtOffset(*partner)];
                if (i < atoms.numLocal)
                    use(i, j);
                else if (j < atoms.numLocal)
                    use(j, i);
            }
        }
    };
    ours.clear(); // of the pairs with a ghost: two passes, one decision
    overPairs([&](int i, int j) {
        if (j < atoms.numLocal) {
            main.start[i + 1]++;
        } else {
            ours.push_back(!atoms.newton || isOurs(atoms, i, j));
            (atoms.newton ? main : halved).start[i + 1] += ours.back();
        }
    });
    main.layOut();
    halved.layOut();
    size_t at = 0;
    overPairs([&](int i, int j) {
        if (j < atoms.numLocal)
            main.add(i, j);
        else if (ours[at++])
            (atoms.newton ? main : halved).add(i, j);
    });
}

void PairRows::copy(const LAMMPS_NS::NeighList& of, const Atoms& atoms, const double* special) {
    begin(atoms);
    const auto overEntries = [&](const auto& use) { // use(atom, entry)
        for (int k = 0; k < of.inum; k++)
            for (int i = of.ilist[k], n = 0; n < of.numneigh[i]; n++)
                use(i, of.firstneigh[i][n]);
    };
    const auto factorOf = [&](int entry) { // the kind of special_bonds is in the highest bits, 0 for no bond
        const int kind = entry >> SBBITS & 3;
        return kind == 0 ? 1.0 : special[kind];
    };
    const auto rowsOf = [&](int j) -> Rows& { return atoms.newton || j < atoms.numLocal ? main : halved; };
    overEntries([&](int i, int entry) { rowsOf(entry & NEIGHMASK).start[i + 1] += factorOf(entry) == 1; });
    main.layOut();
    halved.layOut();
    overEntries([&](int i, int entry) {
        const int j = entry & NEIGHMASK;
        const double factor = factorOf(entry);
        if (factor == 1)
            rowsOf(j).add(i, j);
        else if (factor != 0)
            scaled.push_back({i, j, factor});
    });
}

void PairRows::load(const double* x, const int* types, const int* map) {
    for (int i = 0; i < numAll; i++) {
        const double* p = x + 3 * static_cast<size_t>(i);
        fours[i] = {{p[0], p[1], p[2], static_cast<double>(std::max(map[types[i]], 0))}};
    }
}

double PairRows::memoryUsage() const {
    double bytes = static_cast<double>(sizeof(Four) * fours.capacity() + sizeof(int) * forceOn.capacity());
    for (const Rows* rows : {&main, &halved})
        bytes += static_cast<double>(2 * sizeof(int64_t) * rows->start.capacity() + sizeof(int) * rows->neighbors.capacity());
    return bytes;
}

PairList<double> PairRows::viewOf(const Rows& rows, int numTypes) const {
    PairList<double> view;
    view.numRows = static_cast<int>(rows.start.size()) - 1;
    view.numSlots = static_cast<int>(fours.size());
    view.numTypes = numTypes;
    view.atomOfSlot = forceOn.data();
    view.positions = fours.empty() ? nullptr : fours[0].v;
    view.start = rows.start.data();
    view.neighbors = rows.neighbors.data();
    view.needsImages = noImages.data();
    view.longestCluster = rows.longest;
    return view;
}

} // namespace diffpair::lammps
