// Theta of OpenMM's LangevinMiddleIntegrator (Zhang et al., J. Phys. Chem. A 123, 6056 (2019)).
#include "AtomBlocks.h"
#include "Noise.h"
#include "Thermostat.h"
#include <cmath>

namespace diffpair {

namespace {

/** v'' = a v' + s_i noise with a = exp(-gamma dt) and s_i = sqrt(kT/m_i (1 - a^2)). */
template <class Real> class Langevin : public Thermostat<Real> {
public:
    Langevin(const Integrator& integrator, int replica, double timestep, const std::vector<double>& inverseMass)
        : seed(integrator.seed), replica(replica), timestep(timestep), kT(integrator.kT(replica)),
          fluctuation(-std::expm1(-2 * integrator.rate(replica) * timestep)), numAtoms(static_cast<int>(inverseMass.size())),
          keep(numAtoms), amplitude(numAtoms), partialNoise(numAtomBlocks(numAtoms)), partialVelocity(numAtomBlocks(numAtoms)) {
        for (int i = 0; i < numAtoms; i++) {
            keep[i] = static_cast<Real>(inverseMass[i] > 0 ? std::exp(-integrator.rate(replica) * timestep) : 1.0);
            amplitude[i] = static_cast<Real>(std::sqrt(kT * inverseMass[i] * fluctuation));
        }
    }

    void apply(int t, Real* v, double*, Executor& executor) override {
        overAtomBlocks(numAtoms, executor, [&](int, int first, int last) {
            overNoise(t, first, last,
                      [&](int i, int d, Real noise) { v[3 * i + d] = keep[i] * v[3 * i + d] + amplitude[i] * noise; });
        });
    }

    void restore(const double*) override {
    }

    /** With A = sum p . s noise and B = sum p . v'': dL/dkT = A / (2 kT), dL/dgamma = dt (A / (1 - a^2) - B). */
    void applyAdjoint(int t, const Real* v, const double*, Real* p, Executor& executor) override {
        overAtomBlocks(numAtoms, executor, [&](int block, int first, int last) {
            double alongNoise = 0, alongVelocity = 0;
            overNoise(t, first, last, [&](int i, int d, Real noise) {
                if (amplitude[i] == 0) // held
                    return;
                alongNoise += p[3 * i + d] * static_cast<double>(amplitude[i] * noise);
                alongVelocity += p[3 * i + d] * static_cast<double>(v[3 * i + d]);
                p[3 * i + d] *= keep[i];
            });
            partialNoise[block] = alongNoise;
            partialVelocity[block] = alongVelocity;
        });
        double alongNoise = 0, alongVelocity = 0;
        for (size_t block = 0; block < partialNoise.size(); block++) {
            alongNoise += partialNoise[block];
            alongVelocity += partialVelocity[block];
        }
        this->gradKT += alongNoise / (2 * kT);
        this->gradRate += timestep * (alongNoise / fluctuation - alongVelocity);
    }

private:
    /** Call use(i, d, noise of component d of atom i in step t). */
    template <class Use> void overNoise(int t, int first, int last, const Use& use) const {
        Real noise[3][noiseChunk];
        for (int begin = first; begin < last; begin += noiseChunk) {
            normalNoise(seed, replica, t, begin, noise);
            for (int i = begin; i < std::min(begin + noiseChunk, last); i++)
                for (int d = 0; d < 3; d++)
                    use(i, d, noise[d][i - begin]);
        }
    }
    const uint64_t seed;
    const int replica;
    const double timestep, kT, fluctuation; // fluctuation: 1 - a^2
    const int numAtoms;
    std::vector<Real> keep, amplitude; // per atom: a held one keeps all of its velocity
    std::vector<double> partialNoise, partialVelocity;
};

} // namespace

template <class Real>
std::unique_ptr<Thermostat<Real>> makeLangevin(const Integrator& integrator, int replica, double timestep,
                                               const std::vector<double>& inverseMass) {
    return std::make_unique<Langevin<Real>>(integrator, replica, timestep, inverseMass);
}

template std::unique_ptr<Thermostat<float>> makeLangevin<float>(const Integrator&, int, double, const std::vector<double>&);
template std::unique_ptr<Thermostat<double>> makeLangevin<double>(const Integrator&, int, double, const std::vector<double>&);

} // namespace diffpair
