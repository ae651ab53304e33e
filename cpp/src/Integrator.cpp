#include "diffpair/Integrator.h"
#include "Thermostat.h"
#include <cmath>
#include <stdexcept>
#include <string>

namespace diffpair {

void Integrator::validate(int numReplicas) const {
    if (bath.size() != (hasBath() ? 2 * static_cast<size_t>(numReplicas) : 0))
        throw std::invalid_argument("A heat bath needs a temperature and a rate for each of the " + std::to_string(numReplicas) +
                                    " replicas.");
    for (int r = 0; hasBath() && r < numReplicas; r++) {
        if (!(kT(r) > 0) || !std::isfinite(kT(r)))
            throw std::invalid_argument("The temperature of a heat bath must be positive.");
        if (!(rate(r) > 0) || !std::isfinite(rate(r)))
            throw std::invalid_argument(kind == Kind::LangevinMiddle ? "The friction must be positive."
                                                                     : "The collision frequency must be positive.");
    }
    if (kind != Kind::NoseHoover)
        return;
    if (degreesOfFreedom < 1 || chainLength < 1 || numMTS < 1)
        throw std::invalid_argument("A Nose-Hoover chain needs at least one degree of freedom, one bead and one time step, not " +
                                    std::to_string(degreesOfFreedom) + ", " + std::to_string(chainLength) + " and " +
                                    std::to_string(numMTS) + ".");
    if (numYoshidaSuzuki != 1 && numYoshidaSuzuki != 3 && numYoshidaSuzuki != 5 && numYoshidaSuzuki != 7)
        throw std::invalid_argument("The number of Yoshida-Suzuki weights must be 1, 3, 5 or 7, not " +
                                    std::to_string(numYoshidaSuzuki) + ".");
}

template <class Real>
std::unique_ptr<Thermostat<Real>> makeThermostat(const Integrator& integrator, int replica, double timestep,
                                                 const std::vector<double>& inverseMass) {
    switch (integrator.kind) {
    case Integrator::Kind::LangevinMiddle:
        return makeLangevin<Real>(integrator, replica, timestep, inverseMass);
    case Integrator::Kind::NoseHoover:
        return makeNoseHoover<Real>(integrator, replica, timestep, inverseMass);
    default:
        return nullptr;
    }
}

template std::unique_ptr<Thermostat<float>> makeThermostat<float>(const Integrator&, int, double, const std::vector<double>&);
template std::unique_ptr<Thermostat<double>> makeThermostat<double>(const Integrator&, int, double, const std::vector<double>&);

} // namespace diffpair
