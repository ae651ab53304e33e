#include "PairForceChecks.h"
#include <algorithm>
#include <openmm/ConstantPotentialForce.h>
#include <openmm/CustomGBForce.h>
#include <openmm/CustomNonbondedForce.h>
#include <openmm/GBSAOBCForce.h>
#include <openmm/NonbondedForce.h>
#include <optional>
#include <set>
#include <sstream>
#include <type_traits>

using std::string;

namespace DiffPairPlugin {

namespace {

/** How a force uses the nonbonded machinery that a GPU platform has one of. */
struct NonbondedUse {
    bool cutoff, periodic;
    double distance;
    std::set<std::pair<int, int>> exclusions;
    bool ignoresExclusions = false; // then those of other forces do not matter to it
};

template <class OpenMMForce> NonbondedUse useOf(const OpenMMForce& force) {
    const auto method = force.getNonbondedMethod();
    const bool cutoff = method != OpenMMForce::NoCutoff;
    return {cutoff, cutoff && method != OpenMMForce::CutoffNonPeriodic, force.getCutoffDistance(), {}};
}

template <class OpenMMForce> void addExclusions(const OpenMMForce& force, NonbondedUse& use) {
    for (int i = 0; i < force.getNumExclusions(); i++) {
        int a, b;
        force.getExclusionParticles(i, a, b);
        use.exclusions.insert(std::minmax(a, b));
    }
}

template <class OpenMMForce> void addExceptions(const OpenMMForce& force, NonbondedUse& use) {
    for (int i = 0; i < force.getNumExceptions(); i++) {
        int a, b;
        double charge, sigma, epsilon;
        if constexpr (std::is_same_v<OpenMMForce, OpenMM::NonbondedForce>)
            force.getExceptionParameters(i, a, b, charge, sigma, epsilon);
        else
            force.getExceptionParameters(i, a, b, charge);
        use.exclusions.insert(std::minmax(a, b));
    }
}

/** Nothing for forces that do not use it, and for those of plugins that are not known here. */
std::optional<NonbondedUse> describe(const OpenMM::Force& force) {
    if (const auto* pair = dynamic_cast<const PairForce*>(&force)) {
        NonbondedUse use = useOf(*pair);
        addExclusions(*pair, use);
        use.ignoresExclusions = use.exclusions.empty();
        return use;
    }
    if (const auto* nonbonded = dynamic_cast<const OpenMM::NonbondedForce*>(&force)) {
        NonbondedUse use = useOf(*nonbonded);
        addExceptions(*nonbonded, use);
        return use;
    }
    if (const auto* custom = dynamic_cast<const OpenMM::CustomNonbondedForce*>(&force)) {
        if (custom->getNumInteractionGroups() > 0)
            return {};
        NonbondedUse use = useOf(*custom);
        addExclusions(*custom, use);
        return use;
    }
    if (const auto* solvent = dynamic_cast<const OpenMM::CustomGBForce*>(&force)) {
        NonbondedUse use = useOf(*solvent);
        addExclusions(*solvent, use);
        use.ignoresExclusions = use.exclusions.empty();
        return use;
    }
    if (const auto* solvent = dynamic_cast<const OpenMM::GBSAOBCForce*>(&force)) {
        NonbondedUse use = useOf(*solvent);
        use.ignoresExclusions = true;
        return use;
    }
    if (const auto* constant = dynamic_cast<const OpenMM::ConstantPotentialForce*>(&force)) {
        NonbondedUse use = {true, true, constant->getCutoffDistance(), {}};
        addExceptions(*constant, use);
        return use;
    }
    return {};
}

} // namespace

void PairForceChecks::checkCombination(const PairForce& force, const OpenMM::System& system, const string& platform) {
    const NonbondedUse mine = *describe(force);
    for (int i = 0; i < system.getNumForces(); i++) {
        const OpenMM::Force& other = system.getForce(i);
        const auto its = describe(other);
        if (!its)
            continue;
        std::ostringstream problem;
        if (mine.cutoff != its->cutoff)
            problem << (mine.cutoff ? "this force has a cutoff and that one has none"
                                    : "that one has a cutoff and this force has none")
                    << "; set the nonbonded methods alike";
        else if (mine.periodic != its->periodic)
            problem << "one of them is periodic and the other is not; set the nonbonded methods alike";
        else if (mine.cutoff && force.getForceGroup() == other.getForceGroup() && mine.distance != its->distance)
            problem << "their cutoff distances are " << mine.distance << " and " << its->distance
                    << " nm and their force group is " << force.getForceGroup()
                    << "; call setCutoffDistance on both with the larger one, or setForceGroup on one";
        else if (!mine.ignoresExclusions && !its->ignoresExclusions && mine.exclusions != its->exclusions)
            problem << "they exclude different pairs of particles, " << mine.exclusions.size() << " and "
                    << its->exclusions.size() << "; give both the same exclusions";
        if (!problem.str().empty())
            force.fail("the platform " + platform + " cannot evaluate it together with force " + std::to_string(i) +
                       " of the System, " + other.getName() + ": " + problem.str() + ", or use the platform CPU");
    }
}

} // namespace DiffPairPlugin
