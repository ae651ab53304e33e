#include "diffpair/openmm/PairForce.h"
#include "diffpair/Limits.h"
#include "diffpair/Table.h"
#include <algorithm>
#include <cmath>
#include <openmm/OpenMMException.h>
#include <set>
#include <sstream>

using OpenMM::OpenMMException;
using std::string;
using std::vector;

namespace DiffPairPlugin {

PairForce::PairForce(const char* className, int numTypes, double rMin, double tableCutoff, int numKnots)
    : className(className), rMin(rMin), tableCutoff(tableCutoff), numKnots(numKnots), cutoffDistance(tableCutoff) {
    if (numTypes < 1)
        fail("there must be at least one particle type, but numTypes is " + std::to_string(numTypes));
    try {
        const diffpair::TableGrid grid{rMin, tableCutoff, numKnots};
        grid.validate();
        grid.validateTables(numTypes);
    } catch (const std::invalid_argument& problem) {
        fail(problem.what());
    }
    for (int type = 0; type < numTypes; type++)
        typeNames.push_back(std::to_string(type));
}

void PairForce::fail(const string& problem) const {
    throw OpenMMException(string(className) + ": " + problem);
}

void PairForce::requireType(int type) const {
    if (type < 0 || type >= getNumTypes())
        fail("type " + std::to_string(type) + " does not exist; types run from 0 to " + std::to_string(getNumTypes() - 1));
}

string PairForce::nameOfPair(int type1, int type2) const {
    return "'" + typeNames[type1] + "' and '" + typeNames[type2] + "'";
}

const string& PairForce::getTypeName(int type) const {
    requireType(type);
    return typeNames[type];
}

void PairForce::setTypeName(int type, const string& name) {
    requireType(type);
    if (name.empty())
        fail("the name of type " + std::to_string(type) + " must not be empty");
    typeNames[type] = name;
}

int PairForce::findType(const string& name) const {
    const auto found = std::find(typeNames.begin(), typeNames.end(), name);
    if (found == typeNames.end()) {
        string known;
        for (const string& typeName : typeNames)
            known += (known.empty() ? "'" : ", '") + typeName + "'";
        fail("there is no type '" + name + "'; the types are " + known);
    }
    return static_cast<int>(found - typeNames.begin());
}

int PairForce::addParticle(int type) {
    particleTypes.push_back(0);
    try {
        setParticleType(getNumParticles() - 1, type);
    } catch (...) {
        particleTypes.pop_back();
        throw;
    }
    return getNumParticles() - 1;
}

int PairForce::getParticleType(int particle) const {
    if (particle < 0 || particle >= getNumParticles())
        fail("particle " + std::to_string(particle) + " does not exist; there are " + std::to_string(getNumParticles()));
    return particleTypes[particle];
}

void PairForce::setParticleType(int particle, int type) {
    getParticleType(particle); // it exists
    if (type < 0 || type >= getNumTypes())
        fail("particle " + std::to_string(particle) + " is given type " + std::to_string(type) + ", but types run from 0 to " +
             std::to_string(getNumTypes() - 1));
    particleTypes[particle] = type;
}

int PairForce::addExclusion(int particle1, int particle2) {
    exclusions.emplace_back();
    try {
        setExclusionParticles(getNumExclusions() - 1, particle1, particle2);
    } catch (...) {
        exclusions.pop_back();
        throw;
    }
    return getNumExclusions() - 1;
}

void PairForce::getExclusionParticles(int index, int& particle1, int& particle2) const {
    if (index < 0 || index >= getNumExclusions())
        fail("exclusion " + std::to_string(index) + " does not exist; there are " + std::to_string(getNumExclusions()));
    particle1 = exclusions[index].first;
    particle2 = exclusions[index].second;
}

void PairForce::setExclusionParticles(int index, int particle1, int particle2) {
    int old1, old2;
    getExclusionParticles(index, old1, old2); // it exists
    // Particles may be added after their exclusions, so the upper end of the range is checked when a Context is created.
    if (particle1 < 0 || particle2 < 0)
        fail("exclusion " + std::to_string(index) + " names particle " + std::to_string(std::min(particle1, particle2)) +
             ", which does not exist");
    if (particle1 == particle2)
        fail("exclusion " + std::to_string(index) + " excludes particle " + std::to_string(particle1) + " from itself");
    exclusions[index] = {particle1, particle2};
}

void PairForce::createExclusionsFromBonds(const vector<std::pair<int, int>>& bonds, int bondCutoff) {
    if (bondCutoff < 1)
        fail("createExclusionsFromBonds needs a bondCutoff of 1 or more, not " + std::to_string(bondCutoff));
    vector<vector<int>> bonded(particleTypes.size());
    for (const auto& [a, b] : bonds) {
        if (std::min(a, b) < 0 || std::max(a, b) >= getNumParticles() || a == b)
            fail("createExclusionsFromBonds: the bond (" + std::to_string(a) + ", " + std::to_string(b) +
                 ") must name two of the " + std::to_string(getNumParticles()) + " particles");
        bonded[a].push_back(b);
        bonded[b].push_back(a);
    }
    std::set<std::pair<int, int>> known;
    for (const auto& [a, b] : exclusions)
        known.insert(std::minmax(a, b));
    for (int i = 0; i < getNumParticles(); i++) {
        // Breadth first: everything that at most bondCutoff bonds separate from i.
        std::set<int> reached = {i};
        vector<int> front = {i};
        for (int step = 0; step < bondCutoff && !front.empty(); step++) {
            vector<int> next;
            for (int from : front)
                for (int to : bonded[from])
                    if (reached.insert(to).second)
                        next.push_back(to);
            front = next;
        }
        for (int j : reached)
            if (i < j && known.insert({i, j}).second)
                addExclusion(i, j);
    }
}

void PairForce::setNonbondedMethod(NonbondedMethod newMethod) {
    if (newMethod != NoCutoff && newMethod != CutoffNonPeriodic && newMethod != CutoffPeriodic)
        fail("there is no nonbonded method " + std::to_string(static_cast<int>(newMethod)));
    method = newMethod;
}

void PairForce::setCutoffDistance(double distance) {
    if (!(distance >= tableCutoff && distance <= diffpair::largestCutoff)) {
        std::ostringstream problem;
        problem << "the cutoff distance must be finite and not smaller than the table's cutoff, " << tableCutoff
                << " nm, and not larger than " << diffpair::largestCutoff << " nm, but is " << distance << " nm";
        fail(problem.str());
    }
    cutoffDistance = distance;
}

void PairForce::copySettings(const PairForce& other) {
    cutoffDistance = other.cutoffDistance;
    method = other.method;
    typeNames = other.typeNames;
    particleTypes = other.particleTypes;
    exclusions = other.exclusions;
    toldBelowRMin = other.toldBelowRMin;
    setForceGroup(other.getForceGroup());
}

} // namespace DiffPairPlugin
