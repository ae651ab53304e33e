#include "ReferencePairKernels.h"
#include <cmath>
#include <openmm/internal/ContextImpl.h>
#include <openmm/OpenMMException.h>
#include <openmm/reference/ReferenceForce.h>
#include <openmm/reference/ReferencePlatform.h>

using OpenMM::ContextImpl;
using OpenMM::ReferenceForce;
using OpenMM::Vec3;

namespace DiffPairPlugin {

namespace {

/** Where the other platforms would refuse them too: far enough out, images and distances are rounding alone. */
void requireUsable(const std::vector<Vec3>& positions) try {
    static_assert(sizeof(Vec3) == 3 * sizeof(double));
    diffpair::requireCoordinates(reinterpret_cast<const double*>(positions.data()), static_cast<int>(positions.size()));
} catch (const std::exception& error) {
    throw OpenMM::OpenMMException(error.what());
}

} // namespace

void ReferenceCalcPairTableForceKernel::initialize(const OpenMM::System&, const PairTableForce& force,
                                                   const std::vector<ParameterDerivative>& newDerivatives) {
    grid = gridOf(force);
    derivatives = newDerivatives;
    topology = topologyOf(force);
    coefficients = coefficientsOf(force);
    periodic = force.usesPeriodicBoundaryConditions();
    warning.of(force);
}

double ReferenceCalcPairTableForceKernel::execute(ContextImpl& context, bool includeForces, bool includeEnergy) {
    const auto& data = *static_cast<OpenMM::ReferencePlatform::PlatformData*>(context.getPlatformData());
    const std::vector<Vec3>& positions = *data.positions;
    std::vector<Vec3>& forces = *data.forces;
    requireUsable(positions);
    double total = 0;
    long belowRMin = 0;
    for (int i = 0; i < topology.numAtoms; i++)
        for (int j = i + 1; j < topology.numAtoms; j++) {
            if (topology.exclusions.contains(i, j))
                continue;
            double delta[ReferenceForce::LastDeltaRIndex]; // from i to j
            if (periodic)
                ReferenceForce::getDeltaRPeriodic(positions[i], positions[j], data.periodicBoxVectors, delta);
            else
                ReferenceForce::getDeltaR(positions[i], positions[j], delta);
            const double r = delta[ReferenceForce::RIndex];
            if (r >= grid.cutoff)
                continue;
            const size_t pair = diffpair::typePairIndex(topology.types[i], topology.types[j], topology.numTypes);
            const size_t row = pair * grid.numCoefficients();
            double energy, slope;
            for (const ParameterDerivative& derivative : derivatives) {
                diffpair::evaluateTable(grid, derivative.coefficients.data() + row, r, energy, slope);
                (*data.energyParameterDerivatives)[derivative.parameter] += energy;
            }
            diffpair::evaluateTable(grid, coefficients.data() + row, r, energy, slope);
            total += energy;
            belowRMin += r < grid.rMin && (energy != 0 || slope != 0); // particles that take no part may be anywhere
            if (includeForces && r > 0) { // two particles at one place have no direction to push each other in
                const Vec3 force = Vec3(delta[0], delta[1], delta[2]) * (slope / r);
                forces[i] += force;
                forces[j] -= force;
            }
        }
    warning.report(belowRMin, grid.rMin);
    return includeEnergy ? total : 0.0;
}

void ReferenceCalcPairTableForceKernel::copyParametersToContext(ContextImpl&, const PairTableForce& force,
                                                                const std::vector<ParameterDerivative>& newDerivatives) {
    std::vector<int> types = typesOf(force);
    derivatives = newDerivatives;
    coefficients = coefficientsOf(force);
    topology.types.swap(types); // last: until here something could fail
}

} // namespace DiffPairPlugin
