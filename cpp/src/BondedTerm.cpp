// Bonds, angles and torsions. Each kind is written once, over numbers for the forces and over dual numbers for their adjoint.
#include "diffpair/ForceTerm.h"
#include "Dual.h"
#include "MinimumImage.h"
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace diffpair {

void BondedForces::validate(int numAtoms) const {
    const char* names[] = {"bond", "angle", "torsion"};
    const int width = atomsOfOne();
    if (atoms.size() % width != 0 || (parameters == nullptr && !atoms.empty()))
        throw std::invalid_argument(std::string("Every ") + names[static_cast<int>(kind)] + " needs " + std::to_string(width) +
                                    " particles and " + std::to_string(parametersOfOne()) + " parameters.");
    for (int n = 0; n < size(); n++) {
        std::ostringstream problem;
        const int* one = atoms.data() + static_cast<size_t>(n) * width;
        for (int k = 0; k < width; k++) {
            if (one[k] < 0 || one[k] >= numAtoms)
                problem << " names particle " << one[k] << ", but there are " << numAtoms << ".";
            else if (std::count(one, one + width, one[k]) > 1)
                problem << " names particle " << one[k] << " twice.";
            if (problem.tellp() > 0)
                throw std::invalid_argument("The " + std::string(names[static_cast<int>(kind)]) + " " + std::to_string(n) +
                                            problem.str());
        }
        for (int k = 0; k < parametersOfOne(); k++)
            if (!std::isfinite(parameters[static_cast<size_t>(n) * parametersOfOne() + k]))
                throw std::invalid_argument("A parameter of the " + std::string(names[static_cast<int>(kind)]) + " " +
                                            std::to_string(n) + " is not finite.");
    }
}

namespace {

/** As OpenMM: an angle that is straight to this (nm^2, of the cross product) has no direction to push its ends in. */
constexpr float straight = 1e-6f;

/** U = k (q - q0)^2 / 2 with parameters (q0, k). */
struct Harmonic {
    static constexpr int numParameters = 2;
    template <class T, class Real> static T slope(T q, const Real* p) {
        return T(p[1]) * (q - T(p[0]));
    }
    /** d(dU/dq)/dp */
    template <class Real> static void slopeGradient(Real q, const Real* p, Real* gradient) {
        gradient[0] = -p[1];
        gradient[1] = q - p[0];
    }
};

/**
 * Kinds have a coordinate q of differences of positions, its gradient, and the slope dU/dq. Difference k goes from atom
 * ends[k][0] to atom ends[k][1] of the group.
 */
struct Bond : Harmonic {
    static constexpr int numAtoms = 2, numDifferences = 1;
    static constexpr int ends[1][2] = {{0, 1}};
    template <class T> [[gnu::always_inline]] static T coordinate(const Vector<T>* d, Vector<T>* gradient) {
        const T squared = dot(d[0], d[0]);
        if (!(valueOf(squared) > 0)) { // no direction, and so no force, as in OpenMM
            gradient[0] = {};
            return T(0);
        }
        const T r = sqrt(squared);
        gradient[0] = T(1) / r * d[0];
        return r;
    }
};

struct Angle : Harmonic {
    static constexpr int numAtoms = 3, numDifferences = 2;
    static constexpr int ends[2][2] = {{1, 0}, {1, 2}};
    /** The arc tangent is exact at every angle, the arc cosine is not where it is straight. */
    template <class T> [[gnu::always_inline]] static T coordinate(const Vector<T>* d, Vector<T>* gradient) {
        const Vector<T> normal = cross(d[0], d[1]);
        const T squared = dot(normal, normal);
        const T size = valueOf(squared) > straight * straight ? sqrt(squared) : T(straight);
        gradient[0] = T(1) / (dot(d[0], d[0]) * size) * cross(d[0], normal);
        gradient[1] = T(1) / (dot(d[1], d[1]) * size) * cross(normal, d[1]);
        return arcTangent(size, dot(d[0], d[1]));
    }
};

/** Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996): no singularity but that of the angle itself. */
struct Torsion {
    static constexpr int numAtoms = 4, numDifferences = 3, numParameters = 3;
    static constexpr int ends[3][2] = {{1, 0}, {2, 1}, {2, 3}}; // F, G, H
    template <class T> [[gnu::always_inline]] static T coordinate(const Vector<T>* d, Vector<T>* gradient) {
        const Vector<T>&f = d[0], &g = d[1], &h = d[2];
        const Vector<T> a = cross(f, g), b = cross(h, g);
        const T aa = dot(a, a), bb = dot(b, b), gg = dot(g, g);
        if (!(valueOf(aa) > 0 && valueOf(bb) > 0)) { // three in a line
            gradient[0] = gradient[1] = gradient[2] = {};
            return T(0);
        }
        const T length = sqrt(gg), byA = length / aa, byB = length / bb, byG = T(1) / gg;
        gradient[0] = -byA * a;
        gradient[1] = byA * byG * dot(f, g) * a - byB * byG * dot(h, g) * b;
        gradient[2] = byB * b;
        return arcTangent(dot(cross(b, a), g), length * dot(a, b));
    }
    template <class T, class Real> static T slope(T q, const Real* p) {
        return T(-p[2] * p[0]) * sin(T(p[0]) * q - T(p[1]));
    }
    template <class Real> static void slopeGradient(Real q, const Real* p, Real* gradient) {
        const Real angle = p[0] * q - p[1];
        gradient[0] = 0;
        gradient[1] = p[2] * p[0] * std::cos(angle);
        gradient[2] = -p[0] * std::sin(angle);
    }
};

/** Groups of atoms are worked through in blocks, and then gathered by atom: the same bits on any number of threads. */
template <class Real, class Kind> class BondedTerm : public ForceTerm<Real> {
public:
    BondedTerm(const BondedForces& forces, const Box& box, int numAtoms)
        : forces(forces), box(forces.periodic ? box : Box::none()), numGroups(forces.size()),
          parameters(forces.parameters, forces.parameters + forces.numParameters()), ofGroups(3 * forces.atoms.size()),
          gradient(forces.numParameters(), 0.0) {
        std::vector<int> next(numAtoms + 1, 0); // where the next part of an atom goes
        for (int atom : forces.atoms)
            next[atom + 1]++;
        start.push_back(0);
        for (int atom = 0; atom < numAtoms; atom++) {
            if (next[atom + 1] > 0) {
                bonded.push_back(atom);
                start.push_back(start.back() + next[atom + 1]);
            }
            next[atom + 1] += next[atom];
        }
        place.resize(forces.atoms.size());
        for (size_t k = 0; k < forces.atoms.size(); k++)
            place[next[forces.atoms[k]]++] = static_cast<int>(k);
    }

    void addForces(const Real* x, Real* f, Executor& executor) override {
        overGroups(executor, [&](int n) {
            Vector<Real> d[Kind::numDifferences], slopes[Kind::numDifferences];
            differences(x, n, d);
            const Real q = Kind::template coordinate<Real>(d, slopes);
            const Real force = -Kind::template slope<Real>(q, parametersOf(n));
            Real* to = ofGroup(n);
            for (int k = 0; k < Kind::numDifferences; k++)
                addDifference(k, force * slopes[k], to);
        });
        gather(f, executor);
    }

    void addAdjoint(const Real* x, const Real* w, Real* jw, Executor& executor) override {
        overGroups(executor, [&](int n) {
            Vector<Real> d[Kind::numDifferences];
            Vector<Dual<Real>> moved[Kind::numDifferences], slopes[Kind::numDifferences];
            differences(x, n, d);
            for (int k = 0; k < Kind::numDifferences; k++) {
                const Vector<Real> along = at(w, atom(n, Kind::ends[k][1])) - at(w, atom(n, Kind::ends[k][0]));
                moved[k] = {{d[k].x, along.x}, {d[k].y, along.y}, {d[k].z, along.z}};
            }
            const Dual<Real> q = Kind::template coordinate<Dual<Real>>(moved, slopes);
            const Dual<Real> force = -Kind::template slope<Dual<Real>>(q, parametersOf(n));
            Real* to = ofGroup(n);
            for (int k = 0; k < Kind::numDifferences; k++) {
                const Vector<Dual<Real>> change = force * slopes[k];
                addDifference(k, Vector<Real>{change.x.along, change.y.along, change.z.along}, to);
            }
            Real bySlope[Kind::numParameters];
            Kind::slopeGradient(q.value, parametersOf(n), bySlope);
            for (int p = 0; p < Kind::numParameters; p++)
                gradient[static_cast<size_t>(n) * Kind::numParameters + p] -= static_cast<double>(q.along * bySlope[p]);
        });
        gather(jw, executor);
    }

    void addGradient(double* to) const override {
        for (size_t k = 0; k < gradient.size(); k++)
            to[k] += gradient[k];
    }

private:
    static constexpr int groupsPerBlock = 512; // 50 us of angles: worth a thread

    template <class Body> void overGroups(Executor& executor, const Body& body) {
        overBlocks(numGroups, executor, body);
    }
    template <class Body> static void overBlocks(int count, Executor& executor, const Body& body) {
        const auto task = [&](int block) {
            for (int n = block * groupsPerBlock; n < std::min((block + 1) * groupsPerBlock, count); n++)
                body(n);
        };
        const int numBlocks = (count + groupsPerBlock - 1) / groupsPerBlock;
        if (numBlocks == 1)
            task(0);
        else if (numBlocks > 1)
            executor.run(numBlocks, task);
    }
    int atom(int n, int k) const {
        return forces.atoms[static_cast<size_t>(n) * Kind::numAtoms + k];
    }
    const Real* parametersOf(int n) const {
        return parameters.data() + static_cast<size_t>(n) * Kind::numParameters;
    }
    static Vector<Real> at(const Real* v, int atom) {
        const Real* p = v + 3 * static_cast<size_t>(atom);
        return {p[0], p[1], p[2]};
    }
    void differences(const Real* x, int n, Vector<Real>* d) const {
        for (int k = 0; k < Kind::numDifferences; k++) {
            d[k] = at(x, atom(n, Kind::ends[k][1])) - at(x, atom(n, Kind::ends[k][0]));
            if (box.triclinic)
                box.template apply<Images::Triclinic>(d[k].x, d[k].y, d[k].z);
            else // nothing happens without a box
                box.template apply<Images::Rectangular>(d[k].x, d[k].y, d[k].z);
        }
    }
    Real* ofGroup(int n) {
        Real* to = ofGroups.data() + 3 * static_cast<size_t>(n) * Kind::numAtoms;
        std::fill_n(to, 3 * Kind::numAtoms, Real(0));
        return to;
    }
    /** The force on a difference, at both of its ends. */
    static void addDifference(int k, const Vector<Real>& force, Real* to) {
        Real *from = to + 3 * Kind::ends[k][0], *end = to + 3 * Kind::ends[k][1];
        end[0] += force.x, end[1] += force.y, end[2] += force.z;
        from[0] -= force.x, from[1] -= force.y, from[2] -= force.z;
    }
    void gather(Real* to, Executor& executor) {
        overBlocks(static_cast<int>(bonded.size()), executor, [&](int b) {
            Real sum[3] = {0, 0, 0};
            for (int k = start[b]; k < start[b + 1]; k++)
                for (int d = 0; d < 3; d++)
                    sum[d] += ofGroups[3 * static_cast<size_t>(place[k]) + d];
            for (int d = 0; d < 3; d++)
                to[3 * static_cast<size_t>(bonded[b]) + d] += sum[d];
        });
    }
    const BondedForces& forces;
    const LoopBox<Real> box;
    const int numGroups;
    std::vector<Real> parameters, ofGroups; // the latter: what each group does to each of its atoms
    std::vector<double> gradient;           // of the parameters
    std::vector<int> bonded, start, place;  // atoms in groups; where their parts lie in ofGroups, atom by atom
};

} // namespace

template <class Real> std::unique_ptr<ForceTerm<Real>> makeBondedTerm(const BondedForces& forces, const Box& box, int numAtoms) {
    switch (forces.kind) {
    case BondedForces::Kind::HarmonicAngle:
        return std::make_unique<BondedTerm<Real, Angle>>(forces, box, numAtoms);
    case BondedForces::Kind::PeriodicTorsion:
        return std::make_unique<BondedTerm<Real, Torsion>>(forces, box, numAtoms);
    default:
        return std::make_unique<BondedTerm<Real, Bond>>(forces, box, numAtoms);
    }
}

template std::unique_ptr<ForceTerm<float>> makeBondedTerm<float>(const BondedForces&, const Box&, int);
template std::unique_ptr<ForceTerm<double>> makeBondedTerm<double>(const BondedForces&, const Box&, int);

} // namespace diffpair
