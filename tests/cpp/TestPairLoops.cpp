// The loops and the neighbour list on random systems, against sums over all pairs.
//
//     diffpair_test_PairLoops [NUMBER OF SYSTEMS]

#include "Check.h"
#include "diffpair/NeighborList.h"
#include "RandomSystem.h"
#include <cstdlib>

using namespace diffpair;
using namespace diffpair::test;

namespace {

/** One list and its loops, kept while atoms and box change, as a caller does. */
template <class Real> class Comparison {
public:
    Comparison(RandomSystem& system, double skin, Executor& executor)
        : s(system), executor(executor), list(system.topology, system.cutoff(), skin),
          table(system.grid, system.topology.numTypes, system.coefficients.data()), w(3 * system.topology.numAtoms) {
        for (Real& direction : w)
            direction = static_cast<Real>(s.uniform(-1, 1));
    }

    template <class Source> void compare(const std::vector<double>& x, const Box& box, const std::string& where) {
        const std::vector<Source> given(x.begin(), x.end());
        const std::vector<double> along(w.begin(), w.end());
        const bool single = sizeof(Real) == 4;
        // Folded places are within 16 cutoffs of the origin; the box vectors taken off are rounded in double.
        double largest = 0;
        for (double c : x)
            largest = std::max(largest, std::abs(c));
        const double error = (single ? 4e-6 : 1e-14) * s.cutoff() * (box.periodic ? 2 : 1) + 1e-15 * largest;
        const BruteForce expected(s, given.data(), box, along.data(), error);
        list.update(given.data(), box, executor);
        compareForces(expected, along, single ? 1e-5 : 1e-11, where);
        if (expected.unsureSums == 0)
            compareSums(expected, error / s.bins.spacing(), where);
    }

private:
    void compareForces(const BruteForce& expected, const std::vector<double>& along, double relative, const std::string& where) {
        const int n = s.topology.numAtoms;
        std::vector<Real> f(3 * n, Real(0)), jw(3 * n, Real(0));
        PairSums sums;
        loops.forces(table, list.pairs(), f.data(), &sums, executor);
        compareTensor(expected, f, sums, relative, where);
        double sizeOfForces = 1, power = 0, sizeOfPower = 0, uncertain = 0;
        for (int k = 0; k < 3 * n; k++) {
            sizeOfForces = std::max(sizeOfForces, std::abs(expected.forces[k]));
            power += expected.forces[k] * along[k];
            sizeOfPower += std::abs(expected.forces[k] * along[k]);
            uncertain += expected.tolerance[k / 3] * std::abs(along[k]);
        }
        for (int k = 0; k < 3 * n; k++)
            requireClose(f[k], expected.forces[k], expected.tolerance[k / 3] + relative * sizeOfForces, "a force", where);
        requireClose(sums.energy, expected.energy, expected.energyTolerance + relative * (n + std::abs(expected.energy)), "U",
                     where);
        requireClose(sums.virial, expected.virial,
                     expected.virialTolerance + relative * (n + std::abs(expected.virial)) * sizeOfForces, "the virial", where);
        requireClose(static_cast<double>(sums.belowRMin), static_cast<double>(expected.belowRMin),
                     static_cast<double>(expected.unsureBelowRMin), "the number of pairs below r_min", where);
        const TableGrid& grid = s.grid;
        std::vector<double> moments(numTypePairs(s.topology.numTypes) * grid.numPieces() * 4, 0.0);
        loops.forceAdjoint(table, list.pairs(), w.data(), jw.data(), moments.data(), executor);
        double total = 0; // forces are linear in the table: c . d(F . w)/dc = F . w
        for (int pair = 0; pair < numTypePairs(s.topology.numTypes); pair++) {
            std::vector<double> slope(grid.numCoefficients(), 0.0);
            piecesToCoefficients(grid, moments.data() + pair * grid.numPieces() * 4, slope.data());
            for (int k = 0; k < grid.numCoefficients(); k++)
                total += slope[k] * s.coefficients[pair * grid.numCoefficients() + k];
        }
        requireClose(total, power, uncertain + relative * (sizeOfPower + sizeOfForces), "the force's gradient along the table",
                     where);
        if (relative < 1e-9) // what curvature differs by near a knot is not told by the tolerance of distances
            for (int k = 0; k < 3 * n; k++)
                requireClose(jw[k], expected.jacobian[k],
                             1e-4 * (1 + std::abs(expected.jacobian[k]) + sizeOfForces / s.grid.spacing()),
                             "the force's Jacobian", where);
    }

    /** The virial by components, where it is asked for, and that asking for it changes nothing else. */
    void compareTensor(const BruteForce& expected, const std::vector<Real>& f, const PairSums& sums, double relative,
                       const std::string& where) {
        for (bool withForces : {true, false}) {
            std::vector<Real> again(f.size(), Real(0));
            PairSums same;
            VirialTensor tensor = {{1, 1, 1, 1, 1, 1}}; // to be overwritten
            loops.forces(table, list.pairs(), withForces ? again.data() : nullptr, &same, executor, &tensor);
            const double tolerance = expected.virialTolerance + relative * expected.virialSize;
            for (int k = 0; k < 6; k++)
                requireClose(tensor.components[k], expected.tensor[k], tolerance,
                             "component " + std::to_string(k) + " of the virial", where);
            requireClose(tensor.components[0] + tensor.components[1] + tensor.components[2], sums.virial,
                         relative * (1 + expected.virialSize), "the virial's trace", where);
            require(same.energy == sums.energy && same.virial == sums.virial && same.belowRMin == sums.belowRMin,
                    where + ": other sums with the virial's components");
            require(!withForces || again == f, where + ": other forces with the virial's components");
        }
    }

    void compareSums(const BruteForce& expected, double error, const std::string& where) {
        const TableGrid& bins = s.bins;
        std::vector<double> moments(numTypePairs(s.topology.numTypes) * bins.numPieces() * 4, 0.0);
        loops.moments(bins, list.pairs(), moments.data(), executor);
        std::vector<double> sums(expected.sums.size(), 0.0);
        for (int pair = 0; pair < numTypePairs(s.topology.numTypes); pair++)
            piecesToCoefficients(bins, moments.data() + pair * bins.numPieces() * 4, sums.data() + pair * bins.numCoefficients());
        const double pairs = s.topology.numAtoms * s.topology.numAtoms;
        for (size_t k = 0; k < sums.size(); k++) // below r_min a basis function goes on linearly
            requireClose(sums[k], expected.sums[k], error * 2 * pairs + 1e-6 * std::abs(expected.sums[k]), "a sum over pairs",
                         where);
    }

    RandomSystem& s;
    Executor& executor;
    NeighborList<Real> list;
    PairLoops<Real> loops;
    PairTablePieces<Real> table;
    std::vector<Real> w;
};

template <class Real, class Source> void testSystem(uint64_t seed, Executor& executor) {
    RandomSystem s(seed);
    std::ostringstream name;
    name << "system " << seed << " with " << sizeof(Real) * 8 << " bits on " << executor.numThreads() << " threads";
    const double skin = s.integer(0, 1) * 0.15 * s.cutoff();
    Comparison<Real> comparison(s, skin, executor);
    comparison.template compare<Source>(s.x, s.box, name.str());
    for (int k = 0; k < 3; k++) { // the last one jumps
        for (double& c : s.x)
            c += s.uniform(-0.02, 0.02) * s.cutoff();
        if (k == 2 && s.box.periodic)
            s.x[0] += 3 * s.box.vectors[0];
        comparison.template compare<Source>(s.x, s.box, name.str() + " after a step");
    }
    if (s.box.periodic) {
        for (double& v : s.box.vectors)
            v *= 1.01;
        comparison.template compare<Source>(s.x, s.box, name.str() + " in another box");
    }
}

} // namespace

int main(int argc, char* argv[]) {
    return run([&] {
        const int systems = argc > 1 ? std::atoi(argv[1]) : 100;
        SerialExecutor serial;
        ThreadExecutor threads(3);
        for (int seed = 0; seed < systems; seed++) {
            Executor& executor = seed % 4 == 0 ? static_cast<Executor&>(threads) : serial;
            testSystem<float, double>(seed, executor);
            testSystem<double, double>(seed, executor);
            testSystem<float, float>(seed, executor);
        }
    });
}
