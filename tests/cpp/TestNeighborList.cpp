// What the neighbour list promises besides its pairs: it survives failures, refuses what it cannot take, and neither far
// particles nor empty space cost anything.

#include "Check.h"
#include "ClusterGrid.h"
#include "diffpair/NeighborList.h"
#include "diffpair/PairLoops.h"
#include <cmath>
#include <cstdlib>
#include <random>

using namespace diffpair;
using namespace diffpair::test;

namespace {

PairTopology particles(int number) {
    PairTopology topology;
    topology.numAtoms = number;
    topology.types.assign(number, 0);
    return topology;
}

Box cube(double edge) {
    const double v[9] = {edge, 0, 0, 0, edge, 0, 0, 0, edge};
    return Box::fromVectors(v);
}

/** A fluid at the density of liquid argon, [3 number], its corner at `origin`. */
std::vector<double> fluid(int number, double edge, double origin, int seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> noise(0, 0.1);
    const int side = static_cast<int>(std::ceil(std::cbrt(number)));
    std::vector<double> x;
    for (int i = 0; i < number; i++)
        for (int k : {i % side, i / side % side, i / side / side})
            x.push_back(origin + edge * (k + 0.5 + noise(engine)) / side);
    return x;
}

template <class Real> PairTablePieces<Real> table() {
    const TableGrid grid = {0.25, 0.9, 60};
    std::vector<double> c(grid.numCoefficients(), 0.0);
    for (int k = 0; k + 3 < grid.numCoefficients(); k++)
        c[k] = 20 * std::exp(-0.2 * k);
    return {grid, 1, c.data()};
}

template <class Real> std::vector<Real> forces(const NeighborList<Real>& list) {
    SerialExecutor serial;
    std::vector<Real> f(3 * list.numAtoms(), Real(0));
    PairLoops<Real>().forces(table<Real>(), list.pairs(), f.data(), nullptr, serial);
    return f;
}

/** A build that fails, with another box, leaves everything as it was: what is there, and what the next update gives. */
void testFailuresChangeNothing() {
    SerialExecutor serial;
    const PairTopology topology = particles(500);
    for (const Box& box : {cube(3), cube(60), Box::none()}) {
        const std::vector<double> x = fluid(500, 2.9, 0, 1);
        NeighborList<float> list(topology, 0.9, 0.1);
        list.tuneSkin();
        list.update(x.data(), box, serial);
        const std::vector<float> before = forces(list);
        const int64_t pairs = list.pairs().numPairs();
        for (double strange : {1 / 0.0, -1 / 0.0, std::nan(""), 1e110, -2e9})
            for (const Box& otherBox : {box, cube(2.5), Box::none()}) {
                std::vector<double> bad = x;
                for (double& c : bad)
                    c *= 1.001; // all others move, but stay within the skin
                bad[700] = strange;
                requireRefusal<std::domain_error>("article 233", [&] { list.update(bad.data(), otherBox, serial); });
                require(forces(list) == before && list.pairs().numPairs() == pairs, "a failed update changed the list");
                require(!list.update(x.data(), box, serial), "a failed update made the list forget its box");
                require(forces(list) == before, "a failed update changed what the next one gives");
            }
        require(list.numRebuilds() == 1, "a failed build was counted");
    }
}

/** Forces of a dense group do not change by particles that are far away, nor by where the group itself is. */
void testFarParticles() {
    SerialExecutor serial;
    const int number = 400;
    const std::vector<double> x = fluid(number, 2.7, 0, 2);
    const PairTopology alone = particles(number), three = particles(2 * number + 1);
    NeighborList<double> list(alone, 0.9, 0.1);
    list.update(x.data(), Box::none(), serial);
    const std::vector<double> expected = forces(list);
    double square = 0;
    for (double f : expected)
        square += f * f / static_cast<double>(expected.size());
    for (double far : {1e1, 1e2, 1e4, 1e6, 1e8})
        for (const Box& box : {Box::none(), cube(4.1 * far + 20)}) {
            std::vector<double> all = x;
            for (int k = 0; k < 3 * number; k++) // a second group, displaced by a number without rounding errors
                all.push_back(x[k] + std::ldexp(1.0, std::ilogb(far)) * (k % 3 + 1) / 4);
            for (int k = 0; k < 3; k++)
                all.push_back(-far);
            NeighborList<float> together(three, 0.9, 0.1);
            together.update(all.data(), box, serial);
            const std::vector<float> found = forces(together);
            const double tolerance = 1e-4 * std::sqrt(square); // what docs/guide/plugin.md promises
            for (int k = 0; k < 6 * number; k++)
                requireClose(found[k], expected[k % (3 * number)], tolerance, "a force",
                             "with particles " + std::to_string(far) + " nm apart");
        }
}

/** Pairs of atoms that the search has to measure. */
double numCandidates(const std::vector<double>& x) {
    SerialExecutor serial;
    const ClusterGrid grid(x.data(), static_cast<int>(x.size() / 3), Box::none(), serial, 0.9, 1.0);
    ClusterSweep sweep(grid, 1.0);
    double total = 0;
    for (int cluster = 0; cluster < static_cast<int>(grid.order.size()) / clusterSize; cluster++) {
        sweep.moveTo(cluster);
        total += clusterSize * static_cast<double>(sweep.candidates());
    }
    return total;
}

/** Once the columns of atoms were spread over the empty space: a particle far away made the search one of all pairs. */
void testEmptySpaceCostsNothing() {
    const int number = 20000;
    const std::vector<double> x = fluid(number, 10, 0, 3);
    std::vector<double> oneFar = x, twoGroups = x;
    for (int k = 0; k < 3; k++)
        oneFar[k] = 1e6;
    for (int k = 0; k < 3 * number / 2; k++)
        twoGroups[k] += 1e6;
    const double usual = numCandidates(x);
    require(usual < 0.05 * number * number, "the search measures " + std::to_string(usual) + " pairs");
    require(numCandidates(oneFar) < 1.1 * usual, "a far particle makes the search slow");
    require(numCandidates(twoGroups) < 1.5 * usual, "two groups far from each other make the search slow");
}

void testRefusals() {
    using Problem = std::invalid_argument;
    const PairTopology topology = particles(2);
    requireRefusal<Problem>("a cutoff from 1e-6 to 1e6 nm", [&] { NeighborList<float>(topology, 1e160, 0); });
    requireRefusal<Problem>("a cutoff from 1e-6 to 1e6 nm", [&] { NeighborList<float>(topology, NAN, 0); });
    requireRefusal<Problem>("a skin from 0", [&] { NeighborList<float>(topology, 1, -1); });
    requireRefusal<Problem>("fewer particles than 2^28", [&] {
        PairTopology many;
        many.numAtoms = 1 << 29;
        NeighborList<float>(many, 1, 0);
    });
    requireRefusal<Problem>("0 <= r_min < cutoff", [] { TableGrid{0.2, INFINITY, 10}.validate(); });
    requireRefusal<Problem>("must be from 1e-06 to 1e+06 nm, but is 1e+160", [] { TableGrid{0.2, 1e160, 10}.validate(); });
    requireRefusal<Problem>("must be from 1e-06", [] { TableGrid{0, 1e-30, 10}.validate(); });
    requireRefusal<Problem>("at most 1000000 knots, but has 2000000000", [] { TableGrid{0, 1, 2000000000}.validate(); });
    requireRefusal<Problem>("a millionth of its cutoff", [] { TableGrid{1 - 1e-9, 1, 10}.validate(); });
    requireRefusal<Problem>("1 to 4096 types, not 4097", [] { TableGrid{0, 1, 10}.validateTables(4097); });
    requireRefusal<Problem>("4096 types with 100 knots are too large", [] { TableGrid{0, 1, 100}.validateTables(4096); });
    requireRefusal<Problem>("1 to 4096 types, not 65536", [&] {
        PairTopology typed = topology;
        typed.numTypes = 65536;
        typed.validate();
    });
    requireRefusal<Problem>("component 0 of vector a is inf", [] { cube(INFINITY); });
    requireRefusal<Problem>("component 0 of vector b is nan", [] {
        const double v[9] = {3, 0, 0, NAN, 3, 0, 0, 0, 3};
        Box::fromVectors(v);
    });
}

} // namespace

int main() {
    return run([] {
        testRefusals();
        testFailuresChangeNothing();
        testFarParticles();
        testEmptySpaceCostsNothing();
    });
}
