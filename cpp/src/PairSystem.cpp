#include "diffpair/PairSystem.h"
#include "diffpair/Limits.h"
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace diffpair {

Box Box::fromVectors(const double* rows) {
    Box box;
    std::copy(rows, rows + 9, box.vectors);
    box.periodic = true;
    for (int k = 0; k < 9; k++)
        if (!(std::abs(rows[k]) <= maxCoordinate)) {
            std::ostringstream problem;
            problem << "Periodic box vectors must be finite and within " << maxCoordinate << " nm, but component " << k % 3
                    << " of vector " << "abc"[k / 3] << " is " << rows[k] << " nm.";
            throw std::invalid_argument(problem.str());
        }
    if (rows[1] != 0 || rows[2] != 0 || rows[5] != 0 || !(rows[0] > 0 && rows[4] > 0 && rows[8] > 0))
        throw std::invalid_argument(
            "Periodic box vectors must be in reduced form: a along x, b in the xy plane, positive diagonal.");
    return box;
}

double Box::maxCutoff() const {
    return 0.5 * std::min({vectors[0], vectors[4], vectors[8]});
}

template <class Source> void requireCoordinates(const Source* x, int numAtoms) {
    const size_t size = 3 * static_cast<size_t>(numAtoms);
    for (size_t i = 0; i < size; i++) {
        if (std::abs(x[i]) <= static_cast<Source>(maxCoordinate))
            continue;
        std::ostringstream problem;
        if (std::isfinite(x[i]))
            problem << "Particle " << i / 3 << " is at " << x[i] << " nm, but coordinates must be within " << maxCoordinate
                    << " nm.";
        else
            problem << "The coordinates of particle " << i / 3 << " are not finite.";
        throw std::domain_error(problem.str());
    }
}
template void requireCoordinates<float>(const float*, int);
template void requireCoordinates<double>(const double*, int);

Exclusions::Exclusions(int numAtoms, const std::vector<int>& pairs) {
    std::vector<std::vector<int>> rows(numAtoms);
    for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
        const int a = pairs[i], b = pairs[i + 1];
        if (a < 0 || b < 0 || a >= numAtoms || b >= numAtoms) {
            std::ostringstream problem;
            problem << "The exclusion (" << a << ", " << b << ") names a particle that does not exist; there are " << numAtoms
                    << ".";
            throw std::invalid_argument(problem.str());
        }
        if (a == b)
            continue;
        rows[a].push_back(b);
        rows[b].push_back(a);
    }
    start.assign(1, 0);
    for (auto& row : rows) {
        std::sort(row.begin(), row.end());
        row.erase(std::unique(row.begin(), row.end()), row.end());
        partners.insert(partners.end(), row.begin(), row.end());
        start.push_back(static_cast<int>(partners.size()));
    }
}

bool Exclusions::contains(int i, int j) const {
    return std::binary_search(partners.begin() + start[i], partners.begin() + start[i + 1], j);
}

void PairTopology::validate() const {
    if (numTypes < 1 || numTypes > maxTypes)
        throw std::invalid_argument("There can be 1 to " + std::to_string(maxTypes) + " types, not " + std::to_string(numTypes) +
                                    ".");
    if (static_cast<int>(types.size()) != numAtoms)
        throw std::invalid_argument("There are " + std::to_string(numAtoms) + " particles but " + std::to_string(types.size()) +
                                    " types.");
    for (int i = 0; i < numAtoms; i++)
        if (types[i] < 0 || types[i] >= numTypes)
            throw std::invalid_argument("Particle " + std::to_string(i) + " has type " + std::to_string(types[i]) +
                                        ", but types run from 0 to " + std::to_string(numTypes - 1) + ".");
}

} // namespace diffpair
