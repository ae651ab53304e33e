#pragma once
#include "HostDevice.h"
#include <cmath>

namespace diffpair {

/**
 * The arithmetic of NoseHooverChain on plain memory, for processors and GPUs alike.
 *
 * A point of the chain's path is 3 * length + 1 numbers: velocities V; velocities between the two half kicks; accelerations G;
 * the factor of the atoms' velocities reached so far.
 */
struct ChainSteps {
    int length = 0;
    double degrees = 0, kT = 0, rate = 0;
    const double* weights = nullptr; // [numWeights]: time steps of the chain, ps, in order
    int numWeights = 0;

    DIFFPAIR_HD int pointSize() const {
        return 3 * length + 1;
    }
    /** Doubles that propagateAdjoint() needs: a point before every step and after the last, gradients of V and G. */
    DIFFPAIR_HD int scratchSize() const {
        return (numWeights + 1) * pointSize() + 2 * length;
    }

    /** See NoseHooverChain::propagate. */
    DIFFPAIR_HD double propagate(double* V, double K, double* scratch) const {
        if (0.5 * K < atRest())
            return 1;
        start(scratch, V, K);
        for (int s = 0; s < numWeights; s++)
            advance(scratch, K, weights[s]);
        for (int j = 0; j < length; j++)
            V[j] = scratch[j];
        return scratch[3 * length];
    }

    /** See NoseHooverChain::propagateAdjoint. */
    DIFFPAIR_HD void propagateAdjoint(const double* V, double K, double gradScale, double* gradVelocities, double& gradK,
                                      double& gradKT, double& gradRate, double* scratch) const {
        gradK = 0;
        if (0.5 * K < atRest())
            return;
        const int size = pointSize();
        start(scratch, V, K);
        for (int s = 0; s < numWeights; s++) {
            for (int k = 0; k < size; k++)
                scratch[(s + 1) * size + k] = scratch[s * size + k];
            advance(scratch + (s + 1) * size, K, weights[s]);
        }
        double *gradV = scratch + (numWeights + 1) * size, *gradG = gradV + length;
        for (int j = 0; j < length; j++) {
            gradV[j] = gradVelocities[j];
            gradG[j] = 0;
        }
        double gradRatio = 0, gradRateSquared = 0;
        for (int s = numWeights - 1; s >= 0; s--)
            advanceAdjoint(scratch + s * size, scratch + (s + 1) * size, K, weights[s], gradV, gradG, gradScale, gradRatio,
                           gradRateSquared);
        const double ratio = K / (degrees * kT);
        gradRatio += rate * rate * gradG[0];
        gradRateSquared += (ratio - 1) * gradG[0];
        for (int j = 0; j + 1 < length; j++) {
            gradV[j] += 2 * beadWeight(j) * V[j] * gradG[j + 1];
            gradRateSquared -= gradG[j + 1];
        }
        for (int j = 0; j < length; j++)
            gradVelocities[j] = gradV[j];
        gradK = gradRatio / (degrees * kT);
        gradKT -= gradRatio * ratio / kT;
        gradRate += 2 * rate * gradRateSquared;
    }

private:
    /** Below this kinetic energy (kJ/mol) OpenMM leaves velocities and chain alone. */
    DIFFPAIR_HD static double atRest() {
        return 1e-8;
    }
    DIFFPAIR_HD double beadWeight(int bead) const {
        return bead == 0 ? degrees : 1.0;
    }

    DIFFPAIR_HD void start(double* point, const double* V, double K) const {
        double* G = point + 2 * length;
        for (int j = 0; j < length; j++)
            point[j] = V[j];
        G[length] = 1; // the factor
        G[0] = rate * rate * (K / (degrees * kT) - 1);
        for (int j = 0; j + 1 < length; j++)
            G[j + 1] = beadWeight(j) * V[j] * V[j] - rate * rate;
    }

    /** One time step w of the chain, in place. */
    DIFFPAIR_HD void advance(double* point, double K, double w) const {
        double *V = point, *middle = point + length, *G = point + 2 * length, &scale = point[3 * length];
        V[length - 1] += 0.5 * w * G[length - 1];
        for (int j = length - 2; j >= 0; j--) {
            const double a = std::exp(-0.25 * w * V[j + 1]);
            V[j] = a * (a * V[j] + 0.5 * w * G[j]);
        }
        for (int j = 0; j < length; j++)
            middle[j] = V[j];
        scale *= std::exp(-w * V[0]);
        G[0] = rate * rate * (scale * scale * K / (degrees * kT) - 1);
        for (int j = 0; j + 1 < length; j++) {
            const double a = std::exp(-0.25 * w * V[j + 1]);
            V[j] = a * (a * V[j] + 0.5 * w * G[j]);
            G[j + 1] = beadWeight(j) * V[j] * V[j] - rate * rate;
        }
        V[length - 1] += 0.5 * w * G[length - 1];
    }

    /**
     * advance() backwards, statement by statement. Gradients of V and G enter for the point after and leave for the one before;
     * ratio is K / (N kT), rateSquared nu^2.
     */
    DIFFPAIR_HD void advanceAdjoint(const double* before, const double* after, double K, double w, double* gradV, double* gradOfG,
                                    double& gradScale, double& gradRatio, double& gradRateSquared) const {
        const double *middle = after + length, *afterG = after + 2 * length, *beforeG = before + 2 * length;
        const int last = length - 1;
        gradOfG[last] += 0.5 * w * gradV[last];
        for (int j = last - 1; j >= 0; j--) {
            gradV[j] += 2 * beadWeight(j) * after[j] * gradOfG[j + 1];
            gradRateSquared -= gradOfG[j + 1];
            gradOfG[j + 1] = 0;
            const double a = std::exp(-0.25 * w * middle[j + 1]);
            const double gradA = gradV[j] * (2 * a * middle[j] + 0.5 * w * afterG[j]);
            gradOfG[j] += 0.5 * w * a * gradV[j];
            gradV[j] *= a * a;
            gradV[j + 1] -= 0.25 * w * a * gradA;
        }
        const double ratio = K / (degrees * kT), scale = after[3 * length];
        gradScale += 2 * rate * rate * scale * ratio * gradOfG[0];
        gradRatio += rate * rate * scale * scale * gradOfG[0];
        gradRateSquared += (scale * scale * ratio - 1) * gradOfG[0];
        gradV[0] -= w * scale * gradScale;
        gradScale *= std::exp(-w * middle[0]);
        // All accelerations were computed anew above: what follows is the gradient of those before.
        for (int j = 0; j < last; j++) {
            const double a = std::exp(-0.25 * w * middle[j + 1]);
            const double gradA = gradV[j] * (2 * a * before[j] + 0.5 * w * beforeG[j]);
            gradOfG[j] = 0.5 * w * a * gradV[j];
            gradV[j] *= a * a;
            gradV[j + 1] -= 0.25 * w * a * gradA;
        }
        gradOfG[last] = 0.5 * w * gradV[last];
    }
};

} // namespace diffpair
