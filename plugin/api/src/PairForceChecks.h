#pragma once
#include "diffpair/openmm/PairTableForce.h"
#include <openmm/System.h>

namespace DiffPairPlugin {

/** What is checked when a Context is created or changed; setters have checked what they could. Throws OpenMMExceptions. */
class PairForceChecks {
public:
    /** Particles and exclusions fit the System, names are distinct, the cutoff fits the default box. */
    static void checkSystem(const PairForce& force, const OpenMM::System& system);
    /** Every pair of types of which particles exist has a potential. */
    static void checkPotentials(const PairTableForce& force);
    /**
     * OpenMM's GPU platforms evaluate all nonbonded forces of a System together: they have to agree on whether there are a cutoff
     * and periodic boundaries, on exclusions, and within a force group on the cutoff distance.
     */
    static void checkCombination(const PairForce& force, const OpenMM::System& system, const std::string& platform);
};

/** What must not change while a Context exists. */
class FixedSettings {
public:
    explicit FixedSettings(const PairForce& force);
    bool isPeriodic() const {
        return method == PairForce::CutoffPeriodic;
    }
    /** The cutoff is at most half of the box's narrowest width, so that a particle meets one image of every other. */
    void checkBox(const OpenMM::Vec3& a, const OpenMM::Vec3& b, const OpenMM::Vec3& c) const;
    /** Throws an OpenMMException that names what has changed. */
    void requireSame(const PairForce& force) const;

private:
    std::string className;
    int numParticles;
    std::vector<std::pair<int, int>> exclusions;
    PairForce::NonbondedMethod method;
    double cutoffDistance;
};

} // namespace DiffPairPlugin
