// The view of a list's pairs: what the core's own list shows, and a list of the caller's own under the loops.
//
//     diffpair_test_PairList [NUMBER OF SYSTEMS]

#include "Check.h"
#include "diffpair/NeighborList.h"
#include "diffpair/PairLoops.h"
#include "RandomSystem.h"
#include <cstdlib>
#include <set>
#include <utility>

using namespace diffpair;
using namespace diffpair::test;

namespace {

/** The view holds every pair within the cutoff once, none that is excluded, and what it says of its rows is true. */
template <class Real> void testView(uint64_t seed, Executor& executor) {
    RandomSystem s(seed);
    const std::string where = "system " + std::to_string(seed);
    NeighborList<Real> list(s.topology, s.cutoff(), 0.1 * s.cutoff());
    list.update(s.x.data(), s.box, executor);
    const PairList<Real> view = list.pairs();
    std::set<std::pair<int, int>> listed;
    int64_t entries = 0, longest = 0;
    for (int slot = 0; slot < view.numRows; slot++) {
        for (const int* partner = view.rowBegin(slot); partner < view.rowEnd(slot); partner++, entries++) {
            const int i = view.atomOfSlot[slot], j = view.atomOfSlot[slotAtOffset(*partner)];
            require(i >= 0 && j >= 0 && i != j, where + ": a pair without two atoms");
            require(!s.topology.exclusions.contains(i, j), where + ": an excluded pair");
            require(slotAtOffset(*partner) > slot || !view.ascending, where + ": a partner before its row");
            require(listed.emplace(std::min(i, j), std::max(i, j)).second, where + ": a pair is listed twice");
        }
        if (slot % clusterSize == 0)
            longest = std::max(longest, view.start[slot + clusterSize] - view.start[slot]);
    }
    require(entries == view.numPairs(), where + ": another number of pairs");
    require(longest == view.longestCluster, where + ": another length of the longest cluster's rows");
    std::set<int> atoms;
    for (int slot = 0; slot < view.numSlots; slot++) {
        const int atom = view.atomOfSlot[slot];
        require(atom < 0 || atoms.insert(atom).second, where + ": an atom in two slots");
        require(atom < 0 || view.positions[offsetOfSlot(slot) + 3] == Real(s.topology.types[atom]), where + ": another type");
    }
    require(static_cast<int>(atoms.size()) == s.topology.numAtoms, where + ": atoms without a slot");
    double d[3];
    for (int i = 0; i < s.topology.numAtoms; i++)
        for (int j = i + 1; j < s.topology.numAtoms; j++)
            if (!s.topology.exclusions.contains(i, j) && nearest(&s.x[3 * i], &s.x[3 * j], s.box, d) < s.cutoff())
                require(listed.count({i, j}) == 1, where + ": a pair within the cutoff is missing");
}

/**
 * All pairs of a system as a list of the caller's own: rows in the order of the atoms, and a copy of the partner, in a slot
 * without a row, where another image of it than the atom itself is the nearest. Every pair lies in the row of whichever
 * atom chance takes.
 */
template <class Real> struct OwnList {
    std::vector<int> atoms, owners, neighbors; // owners: the atom that a slot is, or is a copy of
    std::vector<int64_t> start = {0};
    std::vector<Real> positions;
    std::vector<char> images;
    PairList<Real> view;

    explicit OwnList(RandomSystem& s) {
        const int n = s.topology.numAtoms, rows = (n + clusterSize - 1) / clusterSize * clusterSize;
        std::vector<std::vector<int>> partners(rows);
        for (int i = 0; i < rows; i++)
            addSlot(s, i < n ? i : -1, i < n ? &s.x[3 * i] : nullptr);
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                if (!s.topology.exclusions.contains(i, j))
                    s.integer(0, 1) ? addPair(s, partners, i, j) : addPair(s, partners, j, i);
        for (int i = 0; i < rows; i++) {
            neighbors.insert(neighbors.end(), partners[i].begin(), partners[i].end());
            start.push_back(static_cast<int64_t>(neighbors.size()));
        }
        neighbors.resize(neighbors.size() + widestPack, 0);
        images.assign(rows / clusterSize, 0);
        for (int i = 0; i < static_cast<int>(owners.size()); i++)
            atoms.push_back(owners[i] < 0 ? -1 : i);
        view.numRows = rows, view.numSlots = static_cast<int>(owners.size()), view.numTypes = s.topology.numTypes;
        view.atomOfSlot = atoms.data(), view.positions = positions.data(), view.start = start.data();
        view.neighbors = neighbors.data(), view.needsImages = images.data();
        for (int i = 0; i < rows; i += clusterSize)
            view.longestCluster = std::max(view.longestCluster, static_cast<int>(start[i + clusterSize] - start[i]));
    }

private:
    void addSlot(const RandomSystem& s, int owner, const double* x) {
        owners.push_back(owner);
        for (int d = 0; d < 3; d++)
            positions.push_back(x ? static_cast<Real>(x[d]) : std::numeric_limits<Real>::quiet_NaN());
        positions.push_back(owner < 0 ? Real(0) : Real(s.topology.types[owner]));
    }
    void addPair(const RandomSystem& s, std::vector<std::vector<int>>& partners, int i, int j) {
        double d[3], copy[3];
        nearest(&s.x[3 * i], &s.x[3 * j], s.box, d);
        bool other = false;
        for (int k = 0; k < 3; k++) {
            copy[k] = s.x[3 * i + k] - d[k];
            other = other || std::abs(copy[k] - s.x[3 * j + k]) > 1e-3 * s.cutoff();
        }
        if (other)
            addSlot(s, j, copy);
        partners[i].push_back(offsetOfSlot(other ? static_cast<int>(owners.size()) - 1 : j));
    }
};

template <class Real> void testOwnList(uint64_t seed, Executor& executor) {
    RandomSystem s(seed);
    const std::string where =
        "an own list of system " + std::to_string(seed) + " on " + std::to_string(executor.numThreads()) + " threads";
    const int n = s.topology.numAtoms;
    double largest = 0; // of coordinates: rounding of distances, as nobody folds these positions
    for (double c : s.x)
        largest = std::max(largest, std::abs(c));
    const double error = (sizeof(Real) == 4 ? 4e-7 : 1e-15) * 4 * (largest + s.cutoff());
    if (error > 1e-4 * s.grid.spacing())
        return;
    const std::vector<double> unused(3 * n, 0.0);
    const BruteForce expected(s, s.x.data(), s.box, unused.data(), error);
    const OwnList<Real> own(s);
    std::vector<Real> f(3 * own.owners.size(), Real(0));
    PairSums sums;
    VirialTensor tensor;
    PairLoops<Real>().forces(PairTablePieces<Real>(s.grid, s.topology.numTypes, s.coefficients.data()), own.view, f.data(), &sums,
                             executor, &tensor);
    std::vector<double> total(3 * n, 0.0);
    for (size_t slot = 0; slot < own.owners.size(); slot++)
        for (int d = 0; d < 3 && own.owners[slot] >= 0; d++)
            total[3 * own.owners[slot] + d] += f[3 * slot + d];
    const double relative = sizeof(Real) == 4 ? 1e-5 : 1e-12;
    double size = 1;
    for (double force : expected.forces)
        size = std::max(size, std::abs(force));
    for (int k = 0; k < 3 * n; k++)
        requireClose(total[k], expected.forces[k], expected.tolerance[k / 3] + relative * size, "a force", where);
    requireClose(sums.energy, expected.energy, expected.energyTolerance + relative * (n + std::abs(expected.energy)), "U", where);
    for (int k = 0; k < 6; k++)
        requireClose(tensor.components[k], expected.tensor[k], expected.virialTolerance + relative * (1 + expected.virialSize),
                     "component " + std::to_string(k) + " of the virial", where);
}

} // namespace

int main(int argc, char* argv[]) {
    return run([&] {
        const int systems = argc > 1 ? std::atoi(argv[1]) : 100;
        SerialExecutor serial;
        ThreadExecutor threads(3);
        for (int seed = 0; seed < systems; seed++) {
            Executor& executor = seed % 4 == 0 ? static_cast<Executor&>(threads) : serial;
            testView<float>(seed, executor);
            testView<double>(seed, executor);
            testOwnList<float>(seed, executor);
            testOwnList<double>(seed, executor);
        }
    });
}
