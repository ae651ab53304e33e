#include "NoseHooverChain.h"
#include <algorithm>
#include <cmath>

namespace diffpair {

namespace {

/** Below this kinetic energy (kJ/mol) OpenMM leaves velocities and chain alone. */
constexpr double atRest = 1e-8;

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

NoseHooverChain::NoseHooverChain(const Integrator& integrator, int replica, double timestep)
    : length(integrator.chainLength), degrees(integrator.degreesOfFreedom), kT(integrator.kT(replica)),
      rate(integrator.rate(replica)), gradG(length) {
    const std::vector<double> fractions = yoshidaSuzukiWeights(integrator.numYoshidaSuzuki);
    for (int repeat = 0; repeat < integrator.numMTS; repeat++)
        for (double fraction : fractions)
            weights.push_back(fraction * timestep / integrator.numMTS);
    path.resize(weights.size() + 1);
    for (Point& point : path) {
        point.V.resize(length);
        point.middle.resize(length);
        point.G.resize(length);
    }
}

void NoseHooverChain::start(Point& point, const double* V, double K) const {
    std::copy(V, V + length, point.V.begin());
    point.scale = 1;
    point.G[0] = rate * rate * (K / (degrees * kT) - 1);
    for (int j = 0; j + 1 < length; j++)
        point.G[j + 1] = beadWeight(j) * V[j] * V[j] - rate * rate;
}

/** One time step w of the chain, in place. */
void NoseHooverChain::advance(Point& point, double K, double w) const {
    std::vector<double>&V = point.V, &G = point.G;
    V[length - 1] += 0.5 * w * G[length - 1];
    for (int j = length - 2; j >= 0; j--) {
        const double a = std::exp(-0.25 * w * V[j + 1]);
        V[j] = a * (a * V[j] + 0.5 * w * G[j]);
    }
    std::copy(V.begin(), V.end(), point.middle.begin());
    point.scale *= std::exp(-w * V[0]);
    G[0] = rate * rate * (point.scale * point.scale * K / (degrees * kT) - 1);
    for (int j = 0; j + 1 < length; j++) {
        const double a = std::exp(-0.25 * w * V[j + 1]);
        V[j] = a * (a * V[j] + 0.5 * w * G[j]);
        G[j + 1] = beadWeight(j) * V[j] * V[j] - rate * rate;
    }
    V[length - 1] += 0.5 * w * G[length - 1];
}

double NoseHooverChain::propagate(double* V, double K) {
    if (0.5 * K < atRest)
        return 1;
    Point& point = path[0];
    start(point, V, K);
    for (double w : weights)
        advance(point, K, w);
    std::copy(point.V.begin(), point.V.end(), V);
    return point.scale;
}

/**
 * advance() backwards, statement by statement. Gradients of V and G enter for the point after and leave for the one before;
 * ratio is K / (N kT), rateSquared nu^2.
 */
void NoseHooverChain::advanceAdjoint(const Point& before, const Point& after, double K, double w, std::vector<double>& gradV,
                                     std::vector<double>& gradOfG, double& gradScale, double& gradRatio,
                                     double& gradRateSquared) const {
    const std::vector<double>& middle = after.middle; // velocities after the first half kick
    const int last = length - 1;
    gradOfG[last] += 0.5 * w * gradV[last];
    for (int j = last - 1; j >= 0; j--) {
        gradV[j] += 2 * beadWeight(j) * after.V[j] * gradOfG[j + 1];
        gradRateSquared -= gradOfG[j + 1];
        gradOfG[j + 1] = 0;
        const double a = std::exp(-0.25 * w * middle[j + 1]);
        const double gradA = gradV[j] * (2 * a * middle[j] + 0.5 * w * after.G[j]);
        gradOfG[j] += 0.5 * w * a * gradV[j];
        gradV[j] *= a * a;
        gradV[j + 1] -= 0.25 * w * a * gradA;
    }
    const double ratio = K / (degrees * kT), scale = after.scale;
    gradScale += 2 * rate * rate * scale * ratio * gradOfG[0];
    gradRatio += rate * rate * scale * scale * gradOfG[0];
    gradRateSquared += (scale * scale * ratio - 1) * gradOfG[0];
    gradV[0] -= w * scale * gradScale;
    gradScale *= std::exp(-w * middle[0]);
    // All accelerations were computed anew above: what follows is the gradient of those before.
    for (int j = 0; j < last; j++) {
        const double a = std::exp(-0.25 * w * middle[j + 1]);
        const double gradA = gradV[j] * (2 * a * before.V[j] + 0.5 * w * before.G[j]);
        gradOfG[j] = 0.5 * w * a * gradV[j];
        gradV[j] *= a * a;
        gradV[j + 1] -= 0.25 * w * a * gradA;
    }
    gradOfG[last] = 0.5 * w * gradV[last];
}

void NoseHooverChain::propagateAdjoint(const double* V, double K, double gradScale, double* gradVelocities, double& gradK,
                                       double& gradKT, double& gradRate) {
    gradK = 0;
    if (0.5 * K < atRest)
        return;
    start(path[0], V, K);
    for (size_t s = 0; s < weights.size(); s++) {
        path[s + 1] = path[s];
        advance(path[s + 1], K, weights[s]);
    }
    gradV.assign(gradVelocities, gradVelocities + length);
    std::fill(gradG.begin(), gradG.end(), 0.0);
    double gradRatio = 0, gradRateSquared = 0;
    for (size_t s = weights.size(); s-- > 0;)
        advanceAdjoint(path[s], path[s + 1], K, weights[s], gradV, gradG, gradScale, gradRatio, gradRateSquared);
    const double ratio = K / (degrees * kT);
    gradRatio += rate * rate * gradG[0];
    gradRateSquared += (ratio - 1) * gradG[0];
    for (int j = 0; j + 1 < length; j++) {
        gradV[j] += 2 * beadWeight(j) * V[j] * gradG[j + 1];
        gradRateSquared -= gradG[j + 1];
    }
    std::copy(gradV.begin(), gradV.end(), gradVelocities);
    gradK = gradRatio / (degrees * kT);
    gradKT -= gradRatio * ratio / kT;
    gradRate += 2 * rate * gradRateSquared;
}

} // namespace diffpair
