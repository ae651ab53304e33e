#include "CpuPairKernels.h"
#include "ThreadPoolExecutor.h"
#include <atomic>
#include <cmath>
#include <openmm/internal/ContextImpl.h>
#include <openmm/OpenMMException.h>
#include <openmm/reference/ReferencePlatform.h>

using diffpair::Box;
using OpenMM::ContextImpl;
using OpenMM::Vec3;

namespace DiffPair {

namespace {

/** Width of the neighbour list's skin as a fraction of the cutoff; a common choice for liquids. */
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

} // namespace

void CpuCalcPairTableForceKernel::initialize(const OpenMM::System&, const PairTableForce& force) {
    topology = topologyOf(force);
    table.set(gridOf(force), force.getNumTypes(), coefficientsOf(force).data());
    periodic = force.usesPeriodicBoundaryConditions();
    list.emplace(topology, force.getTableCutoff(), skinFraction * force.getTableCutoff());
    x.resize(3 * topology.numAtoms);
}

double CpuCalcPairTableForceKernel::execute(ContextImpl& context, bool includeForces, bool includeEnergy) {
    auto& data = *static_cast<OpenMM::ReferencePlatform::PlatformData*>(context.getPlatformData());
    ThreadPoolExecutor executor(data.threads);
    const Box box = periodic ? boxOf(data.periodicBoxVectors) : Box::none();
    convertPositions(*data.positions, box, executor);
    list->update(x.data(), box, executor);

    diffpair::PairSums sums;
    const bool needsSums = includeEnergy || (warning.isPending() && numForceCalls++ % warningInterval == 0);
    if (includeForces)
        f.assign(x.size(), 0.0f);
    if (includeForces || needsSums)
        loops.forces(table, *list, x.data(), includeForces ? f.data() : nullptr, needsSums ? &sums : nullptr, executor);
    if (includeForces) {
        std::vector<Vec3>& forces = *data.forces;
        for (int i = 0; i < topology.numAtoms; i++)
            forces[i] += Vec3(f[3 * i], f[3 * i + 1], f[3 * i + 2]);
    }
    warning.report(sums.belowRMin, table.getGrid().rMin);
    return includeEnergy ? sums.energy : 0.0;
}

void CpuCalcPairTableForceKernel::convertPositions(const std::vector<Vec3>& positions, const Box& box,
                                                   diffpair::Executor& executor) {
    if (!box.periodic)
        followCentre(positions);
    const Vec3 a(box.vectors[0], 0, 0), b(box.vectors[3], box.vectors[4], 0), c(box.vectors[6], box.vectors[7], box.vectors[8]);
    const int numBlocks = executor.numThreads();
    std::atomic<int> invalid(-1);
    executor.run(numBlocks, [&](int block) {
        const int begin = static_cast<long>(topology.numAtoms) * block / numBlocks;
        const int end = static_cast<long>(topology.numAtoms) * (block + 1) / numBlocks;
        for (int i = begin; i < end; i++) {
            Vec3 p = positions[i] - centre;
            if (box.periodic) {
                p -= c * std::floor(p[2] / c[2]);
                p -= b * std::floor(p[1] / b[1]);
                p -= a * std::floor(p[0] / a[0]);
            }
            if (!std::isfinite(positions[i].dot(positions[i])))
                invalid = i;
            for (int d = 0; d < 3; d++)
                x[3 * i + d] = static_cast<float>(p[d]);
        }
    });
    // OpenMM has looked for NaN, but infinities would reach the cells of the neighbour list.
    if (invalid >= 0)
        throw OpenMM::OpenMMException("The coordinates of particle " + std::to_string(invalid) + " are not finite");
}

void CpuCalcPairTableForceKernel::followCentre(const std::vector<Vec3>& positions) {
    Vec3 mean;
    for (const Vec3& p : positions)
        mean += p;
    mean /= static_cast<double>(positions.size());
    // Seldom, because the neighbour list takes a new centre for a displacement of all particles.
    const Vec3 shift = mean - centre;
    const double distance2 = shift.dot(shift);
    if (distance2 > 1.0 && std::isfinite(distance2))
        centre = mean;
}

void CpuCalcPairTableForceKernel::copyParametersToContext(ContextImpl&, const PairTableForce& force) {
    topology.types = typesOf(force);
    table.set(gridOf(force), force.getNumTypes(), coefficientsOf(force).data());
}

} // namespace DiffPair
