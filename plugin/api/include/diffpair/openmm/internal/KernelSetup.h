#pragma once
#include "diffpair/openmm/PairTableForce.h"
#include "diffpair/PairSystem.h"
#include <atomic>
#include <iostream>
#include <memory>
#include <vector>

// What every platform's kernel derives from a PairTableForce.

namespace DiffPairPlugin {

inline diffpair::TableGrid gridOf(const PairForce& force) {
    return {force.getRMin(), force.getTableCutoff(), force.getNumKnots()};
}

inline std::vector<int> typesOf(const PairForce& force) {
    std::vector<int> types(force.getNumParticles());
    for (int i = 0; i < force.getNumParticles(); i++)
        types[i] = force.getParticleType(i);
    return types;
}

inline diffpair::PairTopology topologyOf(const PairForce& force) {
    std::vector<int> pairs(2 * force.getNumExclusions());
    for (int i = 0; i < force.getNumExclusions(); i++)
        force.getExclusionParticles(i, pairs[2 * i], pairs[2 * i + 1]);
    diffpair::PairTopology topology;
    topology.numAtoms = force.getNumParticles();
    topology.numTypes = force.getNumTypes();
    topology.types = typesOf(force);
    topology.exclusions = diffpair::Exclusions(topology.numAtoms, pairs);
    return topology;
}

/** [numTypePairs * numCoefficients]; zeros for pairs of types of which no particles exist. */
inline std::vector<double> coefficientsOf(const PairTableForce& force) {
    std::vector<double> all;
    for (int a = 0; a < force.getNumTypes(); a++)
        for (int b = a; b < force.getNumTypes(); b++) {
            const std::vector<double> one =
                force.hasPairCoefficients(a, b) ? force.getPairCoefficients(a, b) : std::vector<double>(force.getNumKnots() + 2);
            all.insert(all.end(), one.begin(), one.end());
        }
    return all;
}

/**
 * Tells once per Force on stderr that pairs are closer than the table's first knot, where the potential is only a linear
 * continuation of what was fitted.
 *
 * Whether to look is up to each kernel by itself: a kernel that looks may add up in another order.
 */
class BelowRMinWarning {
public:
    /** Whose warning it is. */
    void of(const PairForce& force) {
        told = force.toldBelowRMin;
    }
    /** Whether this kernel has seen no such pair yet. */
    bool isPending() const {
        return !seen;
    }
    void report(long numPairs, double rMin) {
        if (seen || numPairs == 0)
            return;
        seen = true;
        if (told->exchange(true))
            return;
        std::cerr << "DiffPair warning: " << numPairs << (numPairs == 1 ? " pair of particles is" : " pairs of particles are")
                  << " closer than the table's r_min, " << rMin
                  << " nm, where its potential only continues linearly (said once per force)" << std::endl;
    }

private:
    std::shared_ptr<std::atomic<bool>> told = std::make_shared<std::atomic<bool>>(false);
    bool seen = false;
};

} // namespace DiffPairPlugin
