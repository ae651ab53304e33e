#include "PairForceChecks.h"
#include <algorithm>
#include <openmm/OpenMMException.h>
#include <set>
#include <sstream>

using OpenMM::Vec3;
using std::string;
using std::vector;

namespace DiffPairPlugin {

void PairForceChecks::checkSystem(const PairForce& force, const OpenMM::System& system) {
    const int numParticles = force.getNumParticles();
    if (numParticles != system.getNumParticles())
        force.fail("the force has " + std::to_string(numParticles) + " particles, but the System it is in has " +
                   std::to_string(system.getNumParticles()));
    std::set<std::pair<int, int>> known;
    for (const auto& [a, b] : force.exclusions) {
        const string pair = std::to_string(a) + " and " + std::to_string(b);
        if (std::max(a, b) >= numParticles)
            force.fail("particles " + pair + " are excluded, but there are only " + std::to_string(numParticles) + " particles");
        if (!known.insert(std::minmax(a, b)).second)
            force.fail("particles " + pair + " are excluded more than once");
    }
    std::set<string> names;
    for (const string& name : force.typeNames)
        if (!names.insert(name).second)
            force.fail("more than one type has the name '" + name + "'");
    if (force.usesPeriodicBoundaryConditions()) {
        Vec3 a, b, c;
        system.getDefaultPeriodicBoxVectors(a, b, c);
        FixedSettings(force).checkBox(a, b, c);
    }
}

void PairForceChecks::checkPotentials(const PairTableForce& force) {
    vector<int> count(force.getNumTypes());
    for (int type : force.particleTypes)
        count[type]++;
    for (int a = 0; a < force.getNumTypes(); a++)
        for (int b = a; b < force.getNumTypes(); b++) {
            const bool needed = a == b ? count[a] > 1 : count[a] > 0 && count[b] > 0;
            if (needed && !force.hasPairCoefficients(a, b))
                force.fail("particles of the types " + force.nameOfPair(a, b) + " have no potential; call setPairCoefficients(" +
                           std::to_string(a) + ", " + std::to_string(b) + ", ...)");
        }
}

namespace {

vector<std::pair<int, int>> exclusionsOf(const PairForce& force) {
    vector<std::pair<int, int>> exclusions(force.getNumExclusions());
    for (int i = 0; i < force.getNumExclusions(); i++)
        force.getExclusionParticles(i, exclusions[i].first, exclusions[i].second);
    return exclusions;
}

} // namespace

FixedSettings::FixedSettings(const PairForce& force)
    : className(force.className), numParticles(force.getNumParticles()), exclusions(exclusionsOf(force)),
      method(force.getNonbondedMethod()), cutoffDistance(force.getCutoffDistance()) {
}

void FixedSettings::checkBox(const Vec3& a, const Vec3& b, const Vec3& c) const {
    const double largest = 0.5 * std::min({a[0], b[1], c[2]});
    if (cutoffDistance > largest) {
        std::ostringstream problem;
        problem << className << ": the cutoff distance, " << cutoffDistance
                << " nm, is greater than half of the periodic box, which is " << a[0] << " x " << b[1] << " x " << c[2] << " nm";
        throw OpenMM::OpenMMException(problem.str());
    }
}

void FixedSettings::requireSame(const PairForce& force) const {
    string changed;
    if (force.getNumParticles() != numParticles)
        changed = "the number of particles has changed from " + std::to_string(numParticles) + " to " +
                  std::to_string(force.getNumParticles());
    else if (force.getNumExclusions() != static_cast<int>(exclusions.size()))
        changed = "the number of exclusions has changed from " + std::to_string(exclusions.size()) + " to " +
                  std::to_string(force.getNumExclusions());
    else if (exclusionsOf(force) != exclusions)
        changed = "the exclusions have changed";
    else if (force.getNonbondedMethod() != method)
        changed = "the nonbonded method has changed";
    else if (force.getCutoffDistance() != cutoffDistance)
        changed = "the cutoff distance has changed";
    if (!changed.empty())
        throw OpenMM::OpenMMException("updateParametersInContext: " + changed +
                                      " since the Context was created; call context.reinitialize() instead");
}

} // namespace DiffPairPlugin
