#pragma once
#include "diffpair/PairLoops.h"
#include <algorithm>
#include <cmath>
#include <random>

namespace diffpair::test {

/** A few dozen atoms in whatever box, wherever they are, with whatever tables. */
struct RandomSystem {
    std::mt19937_64 engine;
    PairTopology topology;
    TableGrid grid, bins; // of the potential; of sums over pairs
    std::vector<double> coefficients, x;
    Box box;

    explicit RandomSystem(uint64_t seed) : engine(seed) {
        chooseTables();
        chooseBox();
        choosePositions();
        topology.numTypes = tableTypes;
        for (int i = 0; i < topology.numAtoms; i++)
            topology.types.push_back(integer(0, tableTypes - 1));
        std::vector<int> excluded;
        for (int k = integer(0, 1) * topology.numAtoms; k > 0; k--)
            excluded.push_back(integer(0, topology.numAtoms - 1));
        excluded.resize(excluded.size() / 2 * 2);
        topology.exclusions = Exclusions(topology.numAtoms, excluded);
        topology.validate();
    }
    double uniform(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(engine);
    }
    int integer(int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(engine);
    }
    double cutoff() const {
        return std::max(grid.cutoff, bins.cutoff);
    }

private:
    int tableTypes = 1;

    void chooseTables() {
        const double scale = std::pow(10.0, integer(0, 9) < 8 ? 0 : integer(-2, 4)); // some are of colloids
        grid = {scale * uniform(0, 0.5), 0, integer(5, 40)};
        grid.cutoff = grid.rMin + scale * uniform(0.2, 1);
        bins = {scale * uniform(-0.1, 0.1), grid.cutoff * (integer(0, 1) ? 1 : uniform(0.5, 1.2)), integer(5, 40)};
        tableTypes = integer(1, 3);
        for (int pair = 0; pair < numTypePairs(tableTypes); pair++)
            for (int k = 0; k < grid.numCoefficients(); k++)
                coefficients.push_back(k < grid.numCoefficients() - 3 ? uniform(-1, 1) : 0);
    }

    /** None; small, long, flat or skewed; or so wide that positions are folded. */
    void chooseBox() {
        if (integer(0, 2) == 0)
            return;
        double v[9] = {};
        for (int d = 0; d < 3; d++)
            v[4 * d] = cutoff() * (integer(0, 3) == 0 ? uniform(30, 300) : uniform(2.0001, 5));
        if (integer(0, 1)) {
            v[3] = uniform(-0.5, 0.5) * v[0];
            v[6] = uniform(-0.5, 0.5) * v[0];
            v[7] = uniform(-0.5, 0.5) * v[4];
        }
        box = Box::fromVectors(v);
    }

    void choosePositions() {
        topology.numAtoms = integer(0, 9) == 0 ? integer(1, 5) : integer(6, 120);
        const double reach = 1.3 * cutoff(), far = cutoff() * std::pow(10.0, uniform(0, 5));
        const int style = integer(0, 5);
        double clumps[4][3];
        for (auto& clump : clumps)
            for (double& c : clump)
                c = uniform(-far, far);
        for (int i = 0; i < topology.numAtoms; i++) {
            double p[3];
            for (int d = 0; d < 3; d++) {
                const double within = box.periodic ? std::min(box.vectors[4 * d], 6 * reach) : 4 * reach;
                p[d] = uniform(0, within);
                if (style == 0) // on a grid: equal coordinates, coincident atoms
                    p[d] = within / 8 * integer(0, 7);
                else if (style == 1) // far apart, dense in themselves
                    p[d] += clumps[i % 4][d];
                else if (style == 2 && i == topology.numAtoms / 2) // one of them far away
                    p[d] += far;
                else if (style == 3 && d == i % 2) // along two lines
                    p[d] = 0;
                else if (style == 4 && box.periodic) // across a face
                    p[d] += box.vectors[4 * d] - 0.5 * within;
            }
            if (style == 5 && box.periodic) // many boxes away
                for (int row = 0; row < 3; row++) {
                    const int whole = integer(-5, 5);
                    for (int d = 0; d < 3; d++)
                        p[d] += whole * box.vectors[3 * row + d];
                }
            x.insert(x.end(), p, p + 3);
        }
    }
};

/** The shortest of a - b and its images, which goes to d; of images up to one box away from what rounding gives. */
template <class Source> double nearest(const Source* a, const Source* b, const Box& box, double* d) {
    double p[3], best = INFINITY;
    for (int k = 0; k < 3; k++)
        p[k] = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    for (int row = 2; row >= 0 && box.periodic; row--) {
        const double whole = std::round(p[row] / box.vectors[4 * row]);
        for (int k = 0; k < 3; k++)
            p[k] -= whole * box.vectors[3 * row + k];
    }
    for (int image = 0; image < (box.periodic ? 27 : 1); image++) {
        double q[3] = {p[0], p[1], p[2]};
        const int shift[3] = {image % 3 - 1, image / 3 % 3 - 1, image / 9 - 1};
        for (int row = 0; row < 3 && box.periodic; row++)
            for (int k = 0; k < 3; k++)
                q[k] += shift[row] * box.vectors[3 * row + k];
        const double r = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
        if (r < best) {
            best = r;
            std::copy(q, q + 3, d);
        }
    }
    return best;
}

/** What the loops should give, from all pairs, all images near and the definition of the table. */
struct BruteForce {
    std::vector<double> forces, jacobian; // [3 N]; the latter along w
    std::vector<double> tolerance;        // [N] of a force, given by that of distances
    double energy = 0, virial = 0, energyTolerance = 0, virialTolerance = 0;
    double tensor[6] = {}, virialSize = 0;      // xx, yy, zz, xy, xz, yz; sum over pairs of |r F|
    int64_t belowRMin = 0, unsureBelowRMin = 0; // the latter: of pairs so close to it that rounding decides
    std::vector<double> sums;                   // [pairs of types][numCoefficients] of B_k(r) on the bins
    int64_t unsureSums = 0;                     // pairs as close to their cutoff

    /** @param error  of distances */
    template <class Source> BruteForce(const RandomSystem& s, const Source* x, const Box& box, const double* w, double error) {
        const int n = s.topology.numAtoms;
        forces.assign(3 * n, 0.0), jacobian.assign(3 * n, 0.0), tolerance.assign(n, 0.0);
        sums.assign(numTypePairs(s.topology.numTypes) * s.bins.numCoefficients(), 0.0);
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                if (!s.topology.exclusions.contains(i, j))
                    addPair(s, x, box, w, error, i, j);
    }

private:
    template <class Source>
    void addPair(const RandomSystem& s, const Source* x, const Box& box, const double* w, double error, int i, int j) {
        double d[3];
        const double r = nearest(x + 3 * i, x + 3 * j, box, d);
        const int pair = typePairIndex(s.topology.types[i], s.topology.types[j], s.topology.numTypes);
        if (std::abs(r - s.bins.cutoff) < error)
            unsureSums++;
        else if (r < s.bins.cutoff)
            addSplines(s.bins, r, sums.data() + pair * s.bins.numCoefficients());
        if (r >= s.grid.cutoff + error)
            return;
        const double* c = s.coefficients.data() + pair * s.grid.numCoefficients();
        double u, slope, unused, before, after;
        const double step = 1e-6 * s.grid.spacing();
        evaluateTable(s.grid, c, r, u, slope);
        evaluateTable(s.grid, c, std::max(r - step, 0.0), unused, before);
        evaluateTable(s.grid, c, r + step, unused, after);
        const double curvature = (after - before) / (r + step - std::max(r - step, 0.0));
        const double steepest = 4 / (s.grid.spacing() * s.grid.spacing()); // U'' of coefficients up to 1
        const double least = std::max(r, 1e-15), e[3] = {d[0] / least, d[1] / least, d[2] / least};
        const double uncertain = error * (steepest + std::abs(slope) / std::max(r, error));
        energy += u, virial -= slope * r;
        for (int k = 0; k < 6; k++)
            tensor[k] -= slope * r * e[k < 3 ? k : k == 5] * e[k < 3 ? k : k == 3 ? 1 : 2];
        virialSize += std::abs(slope * r);
        energyTolerance += error * (std::abs(slope) + error * steepest);
        virialTolerance += error * (std::abs(slope) + r * steepest);
        tolerance[i] += uncertain, tolerance[j] += uncertain;
        if (std::abs(r - s.grid.rMin) < error)
            unsureBelowRMin++;
        else
            belowRMin += r < s.grid.rMin;
        double b[3], eb = 0;
        for (int k = 0; k < 3; k++) {
            forces[3 * i + k] -= slope * e[k], forces[3 * j + k] += slope * e[k];
            b[k] = w[3 * i + k] - w[3 * j + k];
            eb += e[k] * b[k];
        }
        for (int k = 0; k < 3; k++) {
            const double bent = -curvature * eb * e[k] - slope / least * (b[k] - eb * e[k]);
            jacobian[3 * i + k] += bent, jacobian[3 * j + k] -= bent;
        }
    }

    static void addSplines(const TableGrid& bins, double r, double* sums) {
        std::vector<double> one(bins.numCoefficients(), 0.0);
        for (int k = 0; k < bins.numCoefficients(); k++) {
            double value, slope;
            one[k] = 1;
            evaluateTable(bins, one.data(), r, value, slope);
            sums[k] += value;
            one[k] = 0;
        }
    }
};

} // namespace diffpair::test
