#include "CpuPairKernels.h"
#include "ThreadTeam.h"
#include <exception>
#include <openmm/internal/ContextImpl.h>
#include <openmm/OpenMMException.h>
#include <openmm/reference/ReferencePlatform.h>

using diffpair::Box;
using OpenMM::ContextImpl;
using OpenMM::Vec3;

namespace DiffPairPlugin {

namespace {

/** Width of the neighbour list's first skin as a fraction of the cutoff; from then on the list chooses. */
constexpr double skinFraction = 0.12;
/** Pairs below r_min are counted in every so many force evaluations, the first included: integrators do not ask for sums. */
constexpr long warningInterval = 50;

Box boxOf(const Vec3* vectors) {
    double rows[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            rows[3 * i + j] = vectors[i][j];
    return Box::fromVectors(rows);
}

/** [3 * size] */
double* coordinates(std::vector<Vec3>& vectors) {
    static_assert(sizeof(Vec3) == 3 * sizeof(double));
    return reinterpret_cast<double*>(vectors.data());
}

} // namespace

void CpuCalcPairTableForceKernel::setTables(const PairTableForce& force, const std::vector<ParameterDerivative>& newDerivatives) {
    table.set(gridOf(force), force.getNumTypes(), coefficientsOf(force).data());
    derivatives.clear();
    for (const ParameterDerivative& each : newDerivatives)
        derivatives.push_back({each.parameter, {gridOf(force), force.getNumTypes(), each.coefficients.data()}});
}

void CpuCalcPairTableForceKernel::initialize(const OpenMM::System&, const PairTableForce& force,
                                             const std::vector<ParameterDerivative>& newDerivatives) try {
    topology = topologyOf(force);
    topology.validate();
    setTables(force, newDerivatives);
    periodic = force.usesPeriodicBoundaryConditions();
    warning.of(force);
    list.emplace(topology, force.getTableCutoff(), skinFraction * force.getTableCutoff());
    list->tuneSkin();
} catch (const std::exception& error) {
    throw OpenMM::OpenMMException(error.what());
}

double CpuCalcPairTableForceKernel::execute(ContextImpl& context, bool includeForces, bool includeEnergy) {
    auto& data = *static_cast<OpenMM::ReferencePlatform::PlatformData*>(context.getPlatformData());
    diffpair::PairSums sums;
    const bool needsSums = includeEnergy || (warning.isPending() && numForceCalls++ % warningInterval == 0);
    double* forces = includeForces ? coordinates(*data.forces) : nullptr;
    try {
        const Box box = periodic ? boxOf(data.periodicBoxVectors) : Box::none();
        ThreadTeam::run(data.threads, [&](diffpair::Executor& executor) {
            // Doubles: the list wraps them into the box before they lose precision.
            list->update(coordinates(*data.positions), box, executor);
            if (includeForces || needsSums)
                loops.forces(table, list->pairs(), forces, needsSums ? &sums : nullptr, executor);
            // OpenMM does not tell whether derivatives are wanted; it asks for forces where they are.
            for (const Derivative& derivative : derivatives) {
                diffpair::PairSums derivativeSums;
                loops.forces(derivative.table, list->pairs(), static_cast<double*>(nullptr), &derivativeSums, executor);
                (*data.energyParameterDerivatives)[derivative.parameter] += derivativeSums.energy;
            }
        });
    } catch (const std::exception& error) { // OpenMM has looked for NaN, but not for infinities
        throw OpenMM::OpenMMException(error.what());
    }
    warning.report(sums.belowRMin, table.getGrid().rMin);
    return includeEnergy ? sums.energy : 0.0;
}

void CpuCalcPairTableForceKernel::copyParametersToContext(ContextImpl&, const PairTableForce& force,
                                                          const std::vector<ParameterDerivative>& newDerivatives) {
    std::vector<int> types = typesOf(force);
    setTables(force, newDerivatives);
    topology.types.swap(types); // last: until here something could fail
}

} // namespace DiffPairPlugin
