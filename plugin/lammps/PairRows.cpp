#include "PairRows.h"
#include "neigh_list.h"
#include <algorithm>

namespace diffpair::lammps {

void PairRows::Rows::clear(int numRows) {
    start.assign(1, 0);
    start.reserve(numRows + 1);
    neighbors.clear();
    longest = 0;
}

void PairRows::Rows::endRow(int row) {
    start.push_back(static_cast<int64_t>(neighbors.size()));
    if (row % clusterSize == clusterSize - 1)
        longest = std::max(longest, static_cast<int>(start[row + 1] - start[row + 1 - clusterSize]));
}

void PairRows::Rows::finish() {
    neighbors.resize(neighbors.size() + widestPack, 0);
}

void PairRows::copy(const LAMMPS_NS::NeighList& list, int numLocal, int newNumAll, const double* special, bool newton) {
    numAll = newNumAll;
    const int numRows = (numLocal + clusterSize - 1) / clusterSize * clusterSize, numSlots = std::max(numRows, numAll);
    fours.resize(numSlots);
    std::fill(fours.begin() + numAll, fours.end(), Four{});
    forceOn.resize(numSlots);
    for (int slot = 0; slot < numSlots; slot++)
        forceOn[slot] = slot < (newton ? numAll : numLocal) ? slot : -1;
    noImages.assign(numRows / clusterSize, 0);
    std::vector<int> place(numRows, -1); // of an atom's row in the list; hybrid styles skip some atoms
    for (int ii = 0; ii < list.inum; ii++)
        place[list.ilist[ii]] = ii;
    main.clear(numRows);
    halved.clear(numRows);
    scaled.clear();
    for (int i = 0; i < numRows; i++) {
        const int* neighbors = place[i] >= 0 ? list.firstneigh[i] : nullptr;
        const int count = place[i] >= 0 ? list.numneigh[i] : 0;
        for (int k = 0; k < count; k++) {
            const int j = neighbors[k] & NEIGHMASK, kind = neighbors[k] >> SBBITS & 3;
            const double factor = special[kind];
            if (kind != 0 && factor != 1) {
                if (factor != 0)
                    scaled.push_back({i, j, factor});
                continue;
            }
            (newton || j < numLocal ? main : halved).neighbors.push_back(offsetOfSlot(j));
        }
        main.endRow(i);
        halved.endRow(i);
    }
    main.finish();
    halved.finish();
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
        bytes += static_cast<double>(sizeof(int64_t) * rows->start.capacity() + sizeof(int) * rows->neighbors.capacity());
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
