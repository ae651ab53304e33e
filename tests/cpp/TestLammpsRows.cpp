// The pairs of a process of LAMMPS, plugin/lammps/PairRows: of random systems that are spread over processes, with copies of
// atoms as LAMMPS has them, all processes together have every pair once. Plain sums over all images tell which there are.

#include "Check.h"
#include "diffpair/PairLoops.h"
#include "neigh_list.h"
#include "PairRows.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <tuple>

using namespace diffpair;
using namespace diffpair::test;

namespace {

using Shift = std::array<int, 3>;
using Image = std::pair<int, Shift>;             // an atom's copy, so many boxes away
using Key = std::tuple<int, int, int, int, int>; // the smaller number of an atom, the larger, and the shift between them
constexpr int mostImages = 2;                    // no box is narrower than half of the cutoff
constexpr double tableCutoff = 1.0, skin = 0.2;

Key keyOf(const Image& a, const Image& b) {
    Shift s;
    for (int d = 0; d < 3; d++)
        s[d] = b.second[d] - a.second[d];
    const bool turned = a.first > b.first || (a.first == b.first && s < Shift{0, 0, 0});
    for (int& one : s)
        one = turned ? -one : one;
    return {std::min(a.first, b.first), std::max(a.first, b.first), s[0], s[1], s[2]};
}

/** Atoms in a periodic box that a grid of processes shares. */
struct Spread {
    std::mt19937_64 engine;
    double box[3];
    int grid[3], numTypes, numAtoms;
    std::vector<double> x;
    std::vector<int> types; // from 0
    TableGrid tableGrid{0.2, tableCutoff, 30};
    std::vector<double> coefficients;

    explicit Spread(uint64_t seed) : engine(seed) {
        for (int d = 0; d < 3; d++) {
            box[d] = uniform(0.6, 3.0);
            grid[d] = integer(1, 2);
        }
        numTypes = integer(1, 3);
        numAtoms = integer(1, 60);
        for (int k = 0; k < 3 * numAtoms; k++) // some on the bounds of processes, where rounding decides
            x.push_back(integer(0, 9) == 0 ? box[k % 3] * integer(0, 1) / 2 : uniform(0, box[k % 3]));
        for (int k = 0; k < numAtoms; k++)
            types.push_back(integer(0, numTypes - 1));
        for (int k = 0; k < numTypePairs(numTypes) * tableGrid.numCoefficients(); k++)
            coefficients.push_back(uniform(-1, 1));
    }
    double uniform(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(engine);
    }
    int integer(int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(engine);
    }
    double at(const Image& image, int d) const {
        return x[3 * image.first + d] + image.second[d] * box[d];
    }
    /** Calls use(first, second, distance) for every pair within the cutoff once. */
    template <class Use> void overPairs(const Use& use) const {
        for (int i = 0; i < numAtoms; i++)
            for (int j = i; j < numAtoms; j++)
                overImages([&](const Shift& s) {
                    const Image first{i, {0, 0, 0}}, second{j, s};
                    if (i == j && s <= Shift{0, 0, 0})
                        return;
                    double square = 0;
                    for (int d = 0; d < 3; d++)
                        square += (at(second, d) - at(first, d)) * (at(second, d) - at(first, d));
                    if (square < tableCutoff * tableCutoff)
                        use(first, second, std::sqrt(square));
                });
    }
    template <class Use> static void overImages(const Use& use) {
        for (int a = -mostImages; a <= mostImages; a++)
            for (int b = -mostImages; b <= mostImages; b++)
                for (int c = -mostImages; c <= mostImages; c++)
                    use(Shift{a, b, c});
    }
};

/** A process's atoms: its own, then copies of all that are as near as the cutoff with its skin. */
struct Process {
    int numLocal = 0;
    std::vector<Image> images;
    std::vector<double> x;
    std::vector<LAMMPS_NS::tagint> tags;
    std::vector<int> types; // from 1, as in LAMMPS

    Process(Spread& all, const Shift& place) {
        double low[3], high[3];
        for (int d = 0; d < 3; d++) {
            low[d] = all.box[d] * place[d] / all.grid[d];
            high[d] = place[d] + 1 == all.grid[d] ? all.box[d] : all.box[d] * (place[d] + 1) / all.grid[d];
        }
        const auto within = [&](const Image& image, double margin) {
            bool inside = true;
            for (int d = 0; d < 3; d++)
                inside = inside && all.at(image, d) >= low[d] - margin && all.at(image, d) < high[d] + margin;
            return inside;
        };
        std::vector<Image> local, ghosts;
        for (int i = 0; i < all.numAtoms; i++)
            Spread::overImages([&](const Shift& s) {
                const Image image{i, s};
                if (s == Shift{0, 0, 0} && within(image, 0))
                    local.push_back(image);
                else if (within(image, tableCutoff + skin))
                    ghosts.push_back(image);
            });
        std::shuffle(local.begin(), local.end(), all.engine);
        std::shuffle(ghosts.begin(), ghosts.end(), all.engine);
        numLocal = static_cast<int>(local.size());
        images = local;
        images.insert(images.end(), ghosts.begin(), ghosts.end());
        for (const Image& image : images) {
            for (int d = 0; d < 3; d++)
                x.push_back(all.at(image, d));
            tags.push_back(image.first + 1);
            types.push_back(all.types[image.first] + 1);
        }
    }
    int size() const {
        return static_cast<int>(images.size());
    }
};

/** Calls use(atom, other atom) for the pairs of a view, whose rows have LAMMPS's indices. */
template <class Use> void overRows(const PairList<double>& view, const Use& use) {
    for (int slot = 0; slot < view.numRows; slot++)
        for (const int* partner = view.rowBegin(slot); partner < view.rowEnd(slot); partner++)
            use(slot, slotAtOffset(*partner));
}

void testSearch(uint64_t seed, bool newton) {
    Spread all(seed);
    const PairTablePieces<double> table(all.tableGrid, all.numTypes, all.coefficients.data());
    std::map<Key, double> found;
    double energy = 0;
    std::vector<double> force(3 * all.numAtoms, 0.0);
    std::vector<int> map(all.numTypes + 1);
    for (int k = 0; k <= all.numTypes; k++)
        map[k] = k - 1;
    lammps::PairRows rows;
    rows.setReach(tableCutoff, skin);
    SerialExecutor serial;
    for (int a = 0; a < all.grid[0]; a++)
        for (int b = 0; b < all.grid[1]; b++)
            for (int c = 0; c < all.grid[2]; c++) {
                const Process process(all, {a, b, c});
                if (process.numLocal == 0) // the pair style does not ask then
                    continue;
                rows.search({process.numLocal, process.size(), process.x.data(), process.tags.data(), newton});
                rows.load(process.x.data(), process.types.data(), map.data());
                const PairList<double> whole = rows.pairs(all.numTypes), half = rows.pairsWithGhosts(all.numTypes);
                require(!newton || half.numPairs() == 0, "pairs are halved though newton is on");
                std::vector<double> f(3 * process.size(), 0.0);
                for (const auto& [view, weight] : {std::pair{whole, 1.0}, std::pair{half, 0.5}}) {
                    overRows(view, [&, weight = weight](int i, int j) {
                        require(i < process.numLocal && j < process.size() && i != j, "a row of an atom that has none");
                        found[keyOf(process.images[i], process.images[j])] += weight;
                    });
                    if (view.numPairs() == 0)
                        continue;
                    PairSums sums;
                    PairLoops<double>().forces(table, view, f.data(), &sums, serial);
                    energy += weight * sums.energy;
                }
                for (int k = 0; k < process.size(); k++)
                    for (int d = 0; d < 3; d++) {
                        require(newton || k < process.numLocal || f[3 * k + d] == 0, "a copy has a force though newton is off");
                        force[3 * process.images[k].first + d] += f[3 * k + d];
                    }
            }
    const std::string where = "seed " + std::to_string(seed) + (newton ? ", newton on" : ", newton off");
    for (const auto& [key, weight] : found)
        requireClose(weight, 1, 0, "how often a pair is there", where);
    double expected = 0;
    std::vector<double> expectedForce(force.size(), 0.0);
    all.overPairs([&](const Image& first, const Image& second, double r) {
        require(found.count(keyOf(first, second)) == 1, where + ": a pair is missing");
        const size_t row = typePairIndex(all.types[first.first], all.types[second.first], all.numTypes);
        double u, slope;
        evaluateTable(all.tableGrid, all.coefficients.data() + row * all.tableGrid.numCoefficients(), r, u, slope);
        expected += u;
        for (int d = 0; d < 3 && r > 0; d++) {
            const double pull = slope * (all.at(second, d) - all.at(first, d)) / r;
            expectedForce[3 * first.first + d] += pull;
            expectedForce[3 * second.first + d] -= pull;
        }
    });
    requireClose(energy, expected, 1e-9 * (1 + std::abs(expected)), "the energy", where);
    for (size_t k = 0; k < force.size(); k++)
        requireClose(force[k], expectedForce[k], 1e-7, "a force", where);
}

/** Rows of a list of LAMMPS's are its entries, whatever special_bonds make of them. */
void testCopy(uint64_t seed, bool newton) {
    Spread all(seed);
    const Process process(all, {0, 0, 0});
    const double special[4] = {1, 0, 1, 0.5}; // by kind
    std::vector<std::vector<int>> entries(process.size());
    std::map<std::pair<int, int>, int> plain, halved;
    std::map<std::pair<int, int>, double> scaled;
    std::vector<int> ilist, numneigh(process.size(), 0);
    for (int i = 0; i < process.numLocal; i++) {
        for (int j = i + 1; j < process.size(); j++) {
            if (all.integer(0, 2) == 0)
                continue;
            const int kind = all.integer(0, 3);
            entries[i].push_back(static_cast<int>(static_cast<unsigned>(j) | static_cast<unsigned>(kind) << SBBITS));
            if (special[kind] == 1)
                (newton || j < process.numLocal ? plain : halved)[{i, j}]++;
            else if (special[kind] != 0)
                scaled[{i, j}] = special[kind];
        }
        numneigh[i] = static_cast<int>(entries[i].size());
        if (numneigh[i] > 0) // an atom without entries may be left out
            ilist.push_back(i);
    }
    std::shuffle(ilist.begin(), ilist.end(), all.engine);
    std::vector<int*> firstneigh;
    for (std::vector<int>& of : entries)
        firstneigh.push_back(of.data());
    LAMMPS_NS::NeighList list;
    list.inum = static_cast<int>(ilist.size());
    list.ilist = ilist.data();
    list.numneigh = numneigh.data();
    list.firstneigh = firstneigh.data();
    lammps::PairRows rows;
    rows.copy(list, {process.numLocal, process.size(), process.x.data(), process.tags.data(), newton}, special);
    const auto compare = [&](const PairList<double>& view, std::map<std::pair<int, int>, int> expected) {
        overRows(view, [&](int i, int j) { expected[{i, j}]--; });
        for (const auto& [pair, count] : expected)
            require(count == 0, "copied rows are not the list's entries, seed " + std::to_string(seed));
    };
    compare(rows.pairs(1), plain);
    compare(rows.pairsWithGhosts(1), halved);
    require(rows.scaledPairs().size() == scaled.size(), "scaled pairs are missing, seed " + std::to_string(seed));
    for (const lammps::ScaledPair& pair : rows.scaledPairs())
        require(scaled.at({pair.i, pair.j}) == pair.factor, "a pair is scaled by another factor");
}

} // namespace

int main() {
    return run([] {
        for (uint64_t seed = 1; seed <= 60; seed++)
            for (bool newton : {true, false}) {
                testSearch(seed, newton);
                testCopy(seed, newton);
            }
    });
}
