#include "NoseHooverChain.h"

namespace diffpair {

namespace {

/** Weights with the digits that OpenMM uses (Yoshida, Phys. Lett. A 150, 262 (1990); Suzuki, J. Math. Phys. 32, 400 (1991)). */
std::vector<double> yoshidaSuzukiWeights(int number) {
    switch (number) {
    case 3:
        return {0.828981543588751, -0.657963087177502, 0.828981543588751};
    case 5:
        return {0.2967324292201065, 0.2967324292201065, -0.186929716880426, 0.2967324292201065, 0.2967324292201065};
    case 7:
        return {0.784513610477560, 0.235573213359357, -1.17767998417887, 1.31518632068391,
                -1.17767998417887, 0.235573213359357, 0.784513610477560};
    default:
        return {1};
    }
}

} // namespace

std::vector<double> chainTimeSteps(const Integrator& integrator, double timestep) {
    const std::vector<double> fractions = yoshidaSuzukiWeights(integrator.numYoshidaSuzuki);
    std::vector<double> steps;
    for (int repeat = 0; repeat < integrator.numMTS; repeat++)
        for (double fraction : fractions)
            steps.push_back(fraction * timestep / integrator.numMTS);
    return steps;
}

NoseHooverChain::NoseHooverChain(const Integrator& integrator, int replica, double timestep)
    : weights(chainTimeSteps(integrator, timestep)) {
    steps.length = integrator.chainLength;
    steps.degrees = integrator.degreesOfFreedom;
    steps.kT = integrator.kT(replica);
    steps.rate = integrator.rate(replica);
    steps.weights = weights.data();
    steps.numWeights = static_cast<int>(weights.size());
    scratch.resize(steps.scratchSize());
}

double NoseHooverChain::propagate(double* V, double K) {
    return steps.propagate(V, K, scratch.data());
}

void NoseHooverChain::propagateAdjoint(const double* V, double K, double gradScale, double* gradV, double& gradK, double& gradKT,
                                       double& gradRate) {
    steps.propagateAdjoint(V, K, gradScale, gradV, gradK, gradKT, gradRate, scratch.data());
}

} // namespace diffpair
