#pragma once
#include <cstdint>
#include <vector>

namespace diffpair {

/**
 * The integrator of a segment, one of OpenMM's of the middle (leapfrog) kind. Their steps differ in Theta alone:
 *
 *     v' = v + (dt/m) F(x);  x' = x + dt/2 v';  v'' = Theta(v');  x <- x' + dt/2 v'';  v <- v''
 */
struct Integrator {
    enum class Kind {
        Verlet,         // Theta = 1: VerletIntegrator
        LangevinMiddle, // Theta(v') = exp(-gamma dt) v' + sqrt(kT/m (1 - exp(-2 gamma dt))) noise
        NoseHoover      // Theta(v') = s v', s from the kinetic energy and a chain that starts at rest
    };
    Kind kind = Kind::Verlet;
    std::vector<double> bath; // [R, 2]: kT in kJ/mol, friction or collision frequency in 1/ps; empty for Verlet
    uint64_t seed = 0;        // LangevinMiddle: noise is a function of (seed, replica, step, atom)
    // NoseHoover, as the arguments of OpenMM's NoseHooverIntegrator
    int degreesOfFreedom = 0, chainLength = 3, numMTS = 3, numYoshidaSuzuki = 7;

    bool hasBath() const {
        return kind != Kind::Verlet;
    }
    double kT(int replica) const {
        return bath[2 * replica];
    }
    double rate(int replica) const {
        return bath[2 * replica + 1];
    }
    /** Doubles that describe the bath in one step: the chain's velocities before it, and twice the kinetic energy. */
    int recordSize() const {
        return kind == Kind::NoseHoover ? chainLength + 1 : 0;
    }
    /** Throws std::invalid_argument with one sentence. */
    void validate(int numReplicas) const;
};

} // namespace diffpair
