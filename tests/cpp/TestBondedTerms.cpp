// Bonds, angles and torsions: forces from energies written down here another way, adjoints from differences of the forces.

#include "Check.h"
#include "diffpair/ForceTerm.h"
#include <cmath>
#include <random>

using namespace diffpair;
using namespace diffpair::test;

namespace {

using Kind = BondedForces::Kind;
constexpr double pi = 3.14159265358979323846;

struct Case {
    std::mt19937_64 engine;
    int numAtoms;
    BondedForces forces;
    std::vector<double> parameters, x, w;
    Box box;

    Case(Kind kind, uint64_t seed, int numAtoms, int numGroups, const Box& box) : engine(seed), numAtoms(numAtoms), box(box) {
        forces.kind = kind;
        forces.periodic = box.periodic;
        for (int n = 0; n < numGroups; n++) {
            std::vector<int> group;
            while (static_cast<int>(group.size()) < forces.atomsOfOne()) {
                const int atom = std::uniform_int_distribution<int>(0, numAtoms - 1)(engine);
                if (std::find(group.begin(), group.end(), atom) == group.end())
                    group.push_back(atom);
            }
            forces.atoms.insert(forces.atoms.end(), group.begin(), group.end());
            if (kind == Kind::HarmonicBond)
                add({uniform(0.1, 1), uniform(10, 1000)});
            else if (kind == Kind::HarmonicAngle)
                add({uniform(0.5, 3), uniform(10, 500)});
            else
                add({double(n % 6 + 1), uniform(-3, 3), uniform(-30, 30)});
        }
        forces.parameters = parameters.data();
        std::normal_distribution<double> noise(0, 1);
        for (int k = 0; k < 3 * numAtoms; k++) {
            x.push_back(2 * noise(engine));
            w.push_back(noise(engine));
        }
    }
    double uniform(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(engine);
    }
    void add(std::initializer_list<double> one) {
        parameters.insert(parameters.end(), one);
    }

    double energy() const {
        double total = 0;
        for (int n = 0; n < forces.size(); n++) {
            const int* a = forces.atoms.data() + n * forces.atomsOfOne();
            const double* p = parameters.data() + n * forces.parametersOfOne();
            if (forces.kind == Kind::HarmonicBond) {
                const double r = length(between(a[0], a[1]));
                total += 0.5 * p[1] * (r - p[0]) * (r - p[0]);
            } else if (forces.kind == Kind::HarmonicAngle) {
                const auto one = between(a[1], a[0]), other = between(a[1], a[2]);
                const double angle = std::acos(product(one, other) / (length(one) * length(other)));
                total += 0.5 * p[1] * (angle - p[0]) * (angle - p[0]);
            } else {
                // the ends' directions, freed of their part along the axis
                const auto axis = between(a[1], a[2]);
                auto one = between(a[1], a[0]), other = between(a[2], a[3]);
                for (auto* end : {&one, &other}) {
                    const double part = product(*end, axis) / product(axis, axis);
                    for (int k = 0; k < 3; k++)
                        (*end)[k] -= part * axis[k];
                }
                const std::vector<double> normal = {one[1] * other[2] - one[2] * other[1], one[2] * other[0] - one[0] * other[2],
                                                    one[0] * other[1] - one[1] * other[0]};
                const double size = std::acos(product(one, other) / (length(one) * length(other)));
                total += p[2] * (1 + std::cos(p[0] * std::copysign(size, product(normal, axis)) - p[1]));
            }
        }
        return total;
    }

private:
    std::vector<double> between(int from, int to) const {
        std::vector<double> d;
        for (int k = 0; k < 3; k++)
            d.push_back(x[3 * to + k] - x[3 * from + k]);
        for (int row = 2; row >= 0 && box.periodic; row--) {
            const double whole = std::round(d[row] / box.vectors[4 * row]);
            for (int k = 0; k < 3; k++)
                d[k] -= whole * box.vectors[3 * row + k];
        }
        return d;
    }
    static double product(const std::vector<double>& a, const std::vector<double>& b) {
        return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    }
    static double length(const std::vector<double>& a) {
        return std::sqrt(product(a, a));
    }
};

std::vector<double> forcesOf(const Case& c, Executor& executor) {
    std::vector<double> f(c.x.size(), 0.0);
    makeBondedTerm<double>(c.forces, c.box, c.numAtoms)->addForces(c.x.data(), f.data(), executor);
    return f;
}

double along(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t k = 0; k < a.size(); k++)
        sum += a[k] * b[k];
    return sum;
}

/** Central difference of value(), a member of the case moved by step * w. */
template <class Value>
auto difference(Case c, std::vector<double> Case::* member, const std::vector<double>& w, const Value& value) {
    const double step = 1e-6;
    const std::vector<double> middle = c.*member;
    decltype(value(c)) sides[2];
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < middle.size(); k++)
            (c.*member)[k] = middle[k] + (side ? -step : step) * w[k];
        c.forces.parameters = c.parameters.data();
        sides[side] = value(c);
    }
    return std::pair(sides[0], sides[1]);
}

void testAgainstDifferences(Kind kind, const Box& box, const std::string& where) {
    SerialExecutor serial;
    const Case c(kind, 5, 12, 7, box);
    const std::vector<double> f = forcesOf(c, serial);
    const auto energies = difference(c, &Case::x, c.w, [](const Case& moved) { return moved.energy(); });
    const double expected = (energies.first - energies.second) / 2e-6;
    requireClose(-along(f, c.w), expected, 1e-6 * (10 + std::abs(expected)), "the force along a direction", where);

    const auto term = makeBondedTerm<double>(c.forces, c.box, c.numAtoms);
    std::vector<double> jw(c.x.size(), 0.0), gradient(c.parameters.size(), 0.0);
    term->addAdjoint(c.x.data(), c.w.data(), jw.data(), serial);
    term->addGradient(gradient.data());
    const auto moved = difference(c, &Case::x, c.w, [&](const Case& side) { return forcesOf(side, serial); });
    for (size_t k = 0; k < jw.size(); k++) // the Hessian is symmetric: (dF/dx)^T w is the derivative along w
        requireClose(jw[k], (moved.first[k] - moved.second[k]) / 2e-6, 1e-4 * (1 + std::abs(jw[k])), "the adjoint", where);
    for (size_t k = 0; k < gradient.size(); k++) {
        if (kind == Kind::PeriodicTorsion && k % 3 == 0) {
            require(gradient[k] == 0, "a periodicity has no gradient");
            continue;
        }
        std::vector<double> one(gradient.size(), 0.0);
        one[k] = 1;
        const auto sides =
            difference(c, &Case::parameters, one, [&](const Case& side) { return along(forcesOf(side, serial), c.w); });
        requireClose(gradient[k], (sides.first - sides.second) / 2e-6, 1e-5 * (1 + std::abs(gradient[k])),
                     "the gradient of parameter " + std::to_string(k), where);
    }
    term->addAdjoint(c.x.data(), c.w.data(), jw.data(), serial); // again: it adds up
    std::vector<double> twice(gradient.size(), 0.0);
    term->addGradient(twice.data());
    for (size_t k = 0; k < gradient.size(); k++)
        requireClose(twice[k], 2 * gradient[k], 1e-12 * std::abs(gradient[k]), "the gradient of two adjoints", where);
}

/** Blocks of groups, and gathering by atom: no bit may depend on who works on them. */
void testThreads(Kind kind) {
    SerialExecutor serial;
    ThreadExecutor threads(3);
    const Case c(kind, 8, 2000, 3000, Box::none());
    require(forcesOf(c, serial) == forcesOf(c, threads), "forces on threads have the same bits");
    std::vector<double> results[2];
    for (Executor* executor : {static_cast<Executor*>(&serial), static_cast<Executor*>(&threads)}) {
        const auto term = makeBondedTerm<double>(c.forces, c.box, c.numAtoms);
        std::vector<double> jw(c.x.size(), 0.0), gradient(c.parameters.size(), 0.0);
        term->addAdjoint(c.x.data(), c.w.data(), jw.data(), *executor);
        term->addGradient(gradient.data());
        jw.insert(jw.end(), gradient.begin(), gradient.end());
        results[executor == &threads] = jw;
    }
    require(results[0] == results[1], "adjoints on threads have the same bits");
}

/** Where a coordinate has no direction, there are no forces that are no numbers. */
void testDegenerate() {
    SerialExecutor serial;
    for (Kind kind : {Kind::HarmonicBond, Kind::HarmonicAngle, Kind::PeriodicTorsion}) {
        Case c(kind, 1, 4, 1, Box::none());
        for (int atom = 0; atom < 4; atom++)
            for (int k = 0; k < 3; k++)
                c.x[3 * atom + k] = kind == Kind::HarmonicBond ? 0 : 0.1 * atom; // one place, one line
        const auto term = makeBondedTerm<double>(c.forces, c.box, c.numAtoms);
        std::vector<double> f(12, 0.0);
        term->addForces(c.x.data(), f.data(), serial);
        term->addAdjoint(c.x.data(), c.w.data(), f.data(), serial);
        for (double one : f)
            require(std::isfinite(one), "forces of a degenerate group are numbers");
    }
    Case flat(Kind::HarmonicAngle, 1, 3, 1, Box::none());
    flat.forces.atoms = {0, 1, 2};
    flat.x = {-0.1, 1e-5, 0, 0, 0, 0, 0.1, 1e-5, 0};
    flat.parameters = {pi, 100};
    const std::vector<double> f = forcesOf(flat, serial); // 2e-4 off straight, so 100 * 2e-4 / 0.1 at either end
    requireClose(f[1], -0.2, 1e-6, "the force of an angle that is nearly straight", "angle");
}

void testRefusals() {
    const auto refuse = [](Kind kind, std::vector<int> atoms, double parameter, const char* words) {
        const std::vector<double> parameters(3, parameter);
        BondedForces forces;
        forces.kind = kind, forces.atoms = std::move(atoms), forces.parameters = parameters.data();
        requireRefusal<std::invalid_argument>(words, [&] { forces.validate(4); });
    };
    refuse(Kind::HarmonicBond, {0, 4}, 1, "The bond 0 names particle 4, but there are 4.");
    refuse(Kind::HarmonicAngle, {0, 1, 0}, 1, "The angle 0 names particle 0 twice.");
    refuse(Kind::PeriodicTorsion, {0, 1, 2, 3}, NAN, "A parameter of the torsion 0 is not finite.");
    refuse(Kind::PeriodicTorsion, {0, 1, 2}, 1, "Every torsion needs 4 particles and 3 parameters.");
}

} // namespace

int main() {
    return run([] {
        const double rows[9] = {1.3, 0, 0, 0.5, 1.2, 0, -0.4, 0.3, 1.1};
        for (auto [kind, name] : {std::pair{Kind::HarmonicBond, "bonds"}, std::pair{Kind::HarmonicAngle, "angles"},
                                  std::pair{Kind::PeriodicTorsion, "torsions"}}) {
            testAgainstDifferences(kind, Box::none(), name);
            testAgainstDifferences(kind, Box::fromVectors(rows), std::string(name) + " in a triclinic box");
            testThreads(kind);
        }
        testDegenerate();
        testRefusals();
    });
}
