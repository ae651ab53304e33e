#pragma once
#include "diffpair/openmm/Export.h"
#include <atomic>
#include <memory>
#include <openmm/Force.h>
#include <string>
#include <utility>
#include <vector>

namespace DiffPairPlugin {

/**
 * What PairTableForce and TorchPairForce share: particles of named types, excluded pairs, the nonbonded method, and the
 * grid of the table that every pair of types is evaluated with. Lengths are in nm, energies in kJ/mol.
 */
class DIFFPAIR_OPENMM_EXPORT PairForce : public OpenMM::Force {
public:
    enum NonbondedMethod {
        /** No periodic boundary conditions. The potential is 0 beyond the table's cutoff, as with every method. */
        NoCutoff = 0,
        /** No periodic boundary conditions. */
        CutoffNonPeriodic = 1,
        /** Periodic boundary conditions: each particle interacts with the nearest image of every other. */
        CutoffPeriodic = 2,
    };

    /** Get the number of particle types. */
    int getNumTypes() const {
        return static_cast<int>(typeNames.size());
    }
    /** Get the first knot of the table, in nm. At shorter distances the potential continues linearly. */
    double getRMin() const {
        return rMin;
    }
    /** Get the last knot of the table, in nm. The potential is 0 from there on. */
    double getTableCutoff() const {
        return tableCutoff;
    }
    /** Get the number of uniform knots of the table between getRMin() and getTableCutoff(). */
    int getNumKnots() const {
        return numKnots;
    }

    /**
     * Get the name of a particle type. Unless set, it is the type's index.
     *
     * @param type  the index of the type
     */
    const std::string& getTypeName(int type) const;
    /**
     * Set the name of a particle type.
     *
     * @param type  the index of the type
     * @param name  its name, not empty
     */
    void setTypeName(int type, const std::string& name);
    /**
     * Get the index of the type with a given name. It is an error if there is none.
     *
     * @param name  the name of the type
     */
    int findType(const std::string& name) const;

    /** Get the number of particles that have been added. */
    int getNumParticles() const {
        return static_cast<int>(particleTypes.size());
    }
    /**
     * Add the next particle of the System.
     *
     * @param type  the index of its type
     * @return the index of the particle
     */
    int addParticle(int type);
    /**
     * Get the type of a particle.
     *
     * @param particle  the index of the particle
     */
    int getParticleType(int particle) const;
    /**
     * Set the type of a particle.
     *
     * @param particle  the index of the particle
     * @param type      the index of its type
     */
    void setParticleType(int particle, int type);

    /** Get the number of excluded pairs. */
    int getNumExclusions() const {
        return static_cast<int>(exclusions.size());
    }
    /**
     * Exclude a pair of particles from interacting.
     *
     * @param particle1  the index of the first particle
     * @param particle2  the index of the second particle
     * @return the index of the exclusion
     */
    int addExclusion(int particle1, int particle2);
    /**
     * Get the particles of an excluded pair.
     *
     * @param index      the index of the exclusion
     * @param particle1  the index of the first particle
     * @param particle2  the index of the second particle
     */
    void getExclusionParticles(int index, int& particle1, int& particle2) const;
    /**
     * Set the particles of an excluded pair.
     *
     * @param index      the index of the exclusion
     * @param particle1  the index of the first particle
     * @param particle2  the index of the second particle
     */
    void setExclusionParticles(int index, int particle1, int particle2);
    /**
     * Exclude all pairs of particles that at most bondCutoff bonds separate. Pairs that are excluded already stay so.
     *
     * @param bonds       the pairs of bonded particles
     * @param bondCutoff  the largest number of bonds between the particles of an excluded pair
     */
    void createExclusionsFromBonds(const std::vector<std::pair<int, int>>& bonds, int bondCutoff);

    /** Get the nonbonded method. */
    NonbondedMethod getNonbondedMethod() const {
        return method;
    }
    /**
     * Set the nonbonded method.
     *
     * @param method  NoCutoff, CutoffNonPeriodic or CutoffPeriodic
     */
    void setNonbondedMethod(NonbondedMethod method);
    /** Get the cutoff distance, in nm. */
    double getCutoffDistance() const {
        return cutoffDistance;
    }
    /**
     * Set the cutoff distance. It is the table's cutoff unless set and may be larger, where the potential is 0 anyway:
     * on GPUs all nonbonded forces of a force group need one cutoff. A smaller one would cut the potential and is an error.
     *
     * @param distance  the cutoff distance, in nm
     */
    void setCutoffDistance(double distance);
    /** Get whether this force uses periodic boundary conditions: with CutoffPeriodic it does. */
    bool usesPeriodicBoundaryConditions() const override {
        return method == CutoffPeriodic;
    }

protected:
    PairForce(const char* className, int numTypes, double rMin, double tableCutoff, int numKnots);
    /** Throw an OpenMMException that begins with the name of the class. */
    [[noreturn]] void fail(const std::string& problem) const;
    void requireType(int type) const;
    /** "'A' and 'B'", to name a pair of types in messages. */
    std::string nameOfPair(int type1, int type2) const;
    /** Take over particles, exclusions, type names, method, cutoff, force group. */
    void copySettings(const PairForce& other);

private:
    friend class PairForceChecks;
    friend class FixedSettings;
    friend class BelowRMinWarning;
    const char* className;
    double rMin, tableCutoff;
    int numKnots;
    double cutoffDistance;
    NonbondedMethod method = NoCutoff;
    std::vector<std::string> typeNames;
    std::vector<int> particleTypes;
    std::vector<std::pair<int, int>> exclusions;
    /** Whether pairs below rMin were told, in any Context: one that is initialized again would tell them again. */
    std::shared_ptr<std::atomic<bool>> toldBelowRMin = std::make_shared<std::atomic<bool>>(false);
};

} // namespace DiffPairPlugin
