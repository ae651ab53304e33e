#pragma once
#include "diffpair/Segment.h"
#include <algorithm>
#include <cmath>

namespace diffpair {

/** The forces of a segment's hook on one replica, and their adjoint by differences of these forces. */
template <class Real> class ExternalForces {
public:
    ExternalForces(const ForceHook& hook, int replica, int numAtoms)
        : hook(hook), replica(replica), place(3 * static_cast<size_t>(numAtoms)), found(place.size()), opposite(place.size()) {
    }

    /** @param f  [3 * numAtoms], overwritten */
    void evaluate(const Real* x, Real* f) {
        std::copy(x, x + place.size(), place.begin());
        call(place, found);
        std::copy(found.begin(), found.end(), f);
    }

    /**
     * jw += (dF/dx)^T w. The Hessian is symmetric, so that is the derivative of F along w.
     *
     * One evaluation at a place beside x tells it, since the path has kept F(x): to one side in even steps, to the other in
     * odd ones, so that the error of one step, proportional to the distance, is taken back by the next. Central differences
     * take two evaluations.
     *
     * @param f  what evaluate() gave at x
     */
    void addAdjoint(int t, const Real* x, const Real* f, const Real* w, Real* jw) {
        double longest = 0;
        for (size_t k = 0; k < place.size(); k += 3)
            longest = std::max(longest, w[k] * double(w[k]) + w[k + 1] * double(w[k + 1]) + w[k + 2] * double(w[k + 2]));
        if (longest == 0)
            return;
        const double along = (t % 2 ? -hook.distance : hook.distance) / std::sqrt(longest);
        callBeside(x, along, w, found);
        if (hook.central)
            callBeside(x, -along, w, opposite);
        else
            std::copy(f, f + place.size(), opposite.begin());
        const double scale = 1 / (hook.central ? 2 * along : along);
        for (size_t k = 0; k < place.size(); k++)
            jw[k] += static_cast<Real>(scale * (found[k] - opposite[k]));
    }

private:
    void callBeside(const Real* x, double along, const Real* w, std::vector<double>& forces) {
        for (size_t k = 0; k < place.size(); k++)
            place[k] = x[k] + along * w[k];
        call(place, forces);
    }
    void call(const std::vector<double>& x, std::vector<double>& forces) {
        hook.forces(replica, x.data(), forces.data());
    }
    const ForceHook& hook;
    const int replica;
    std::vector<double> place, found, opposite;
};

} // namespace diffpair
