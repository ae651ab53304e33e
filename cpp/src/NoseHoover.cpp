// Theta of OpenMM's NoseHooverIntegrator: every velocity is multiplied by the chain's factor.
#include "AtomBlocks.h"
#include "NoseHooverChain.h"
#include "Thermostat.h"

namespace diffpair {

namespace {

template <class Real> class NoseHoover : public Thermostat<Real> {
public:
    NoseHoover(const Integrator& integrator, int replica, double timestep, const std::vector<double>& inverseMass)
        : chain(integrator, replica, timestep), numAtoms(static_cast<int>(inverseMass.size())), length(integrator.chainLength),
          mass(numAtoms), V(length, 0.0), gradV(length, 0.0), partial(numAtomBlocks(numAtoms)) {
        for (int i = 0; i < numAtoms; i++)
            mass[i] = inverseMass[i] > 0 ? static_cast<Real>(1 / inverseMass[i]) : Real(0); // 0: held
    }

    void apply(int, Real* v, double* record, Executor& executor) override {
        const double K = sumOverAtoms(numAtoms, executor, partial, [&](int i) { return mass[i] * dot(v, v, i); });
        if (record != nullptr) {
            std::copy(V.begin(), V.end(), record);
            record[length] = K;
        }
        const Real scale = static_cast<Real>(chain.propagate(V.data(), K));
        overAtoms(numAtoms, executor, [&](int i) {
            const Real factor = mass[i] > 0 ? scale : Real(1);
            for (int d = 0; d < 3; d++)
                v[3 * i + d] *= factor;
        });
    }

    void restore(const double* record) override {
        std::copy(record, record + length, V.begin());
    }

    /** v'' = s(K, V) v' with K = sum m v'^2: Theta^T p = s p + 2 (dL/dK) m v', where dL/ds = p . v'. */
    void applyAdjoint(int, const Real* v, const double* record, Real* p, Executor& executor) override {
        const double K = record[length];
        V.assign(record, record + length);
        const double scale = chain.propagate(V.data(), K);
        const double along = sumOverAtoms(numAtoms, executor, partial, [&](int i) { return mass[i] > 0 ? dot(p, v, i) : 0.0; });
        double gradK;
        chain.propagateAdjoint(record, K, along / scale, gradV.data(), gradK, this->gradKT, this->gradRate);
        const Real factor = static_cast<Real>(scale), pull = static_cast<Real>(2 * gradK / scale);
        overAtoms(numAtoms, executor, [&](int i) {
            if (mass[i] > 0)
                for (int d = 0; d < 3; d++)
                    p[3 * i + d] = factor * p[3 * i + d] + pull * mass[i] * v[3 * i + d];
        });
    }

private:
    static double dot(const Real* a, const Real* b, int i) {
        double sum = 0;
        for (int d = 0; d < 3; d++)
            sum += static_cast<double>(a[3 * i + d]) * b[3 * i + d];
        return sum;
    }
    NoseHooverChain chain;
    const int numAtoms, length;
    std::vector<Real> mass;
    std::vector<double> V, gradV, partial;
};

} // namespace

template <class Real>
std::unique_ptr<Thermostat<Real>> makeNoseHoover(const Integrator& integrator, int replica, double timestep,
                                                 const std::vector<double>& inverseMass) {
    return std::make_unique<NoseHoover<Real>>(integrator, replica, timestep, inverseMass);
}

template std::unique_ptr<Thermostat<float>> makeNoseHoover<float>(const Integrator&, int, double, const std::vector<double>&);
template std::unique_ptr<Thermostat<double>> makeNoseHoover<double>(const Integrator&, int, double, const std::vector<double>&);

} // namespace diffpair
