#pragma once
#include "diffpair/PairSystem.h"

namespace diffpair {

// Always inlined: these are used by the kernels of several instruction sets, and an out-of-line copy made for the newest
// could be the one that the linker keeps.

/** Round to nearest by adding and subtracting 1.5 * 2^mantissa: two instructions on any processor, and vectorisable. */
[[gnu::always_inline]] inline float roundNearest(float v) {
    constexpr float magic = 12582912.0f;
    return (v + magic) - magic;
}
[[gnu::always_inline]] inline double roundNearest(double v) {
    constexpr double magic = 6755399441055744.0;
    return (v + magic) - magic;
}

/** A box as the inner loops use it. */
template <class Real> struct LoopBox {
    Real a, bx, b, cx, cy, c, invA, invB, invC; // all 0 without periodicity: the shifts vanish
    bool triclinic;

    explicit LoopBox(const Box& box)
        : a(Real(box.vectors[0])), bx(Real(box.vectors[3])), b(Real(box.vectors[4])), cx(Real(box.vectors[6])),
          cy(Real(box.vectors[7])), c(Real(box.vectors[8])), invA(box.periodic ? Real(1 / box.vectors[0]) : Real(0)),
          invB(box.periodic ? Real(1 / box.vectors[4]) : Real(0)), invC(box.periodic ? Real(1 / box.vectors[8]) : Real(0)),
          triclinic(box.periodic && box.isTriclinic()) {
    }
    /** Replace (dx, dy, dz) by its minimum image; exact whenever that is shorter than Box::maxCutoff(). */
    template <bool Triclinic> [[gnu::always_inline]] void apply(Real& dx, Real& dy, Real& dz) const {
        if (Triclinic) {
            const Real k = roundNearest(dz * invC);
            dx -= cx * k;
            dy -= cy * k;
            dz -= c * k;
            const Real l = roundNearest(dy * invB);
            dx -= bx * l;
            dy -= b * l;
            dx -= a * roundNearest(dx * invA);
        } else {
            dx -= a * roundNearest(dx * invA);
            dy -= b * roundNearest(dy * invB);
            dz -= c * roundNearest(dz * invC);
        }
    }
    [[gnu::always_inline]] Real distanceSquared(const Real* p, const Real* q) const {
        Real dx = p[0] - q[0], dy = p[1] - q[1], dz = p[2] - q[2];
        if (triclinic)
            apply<true>(dx, dy, dz);
        else
            apply<false>(dx, dy, dz);
        return dx * dx + dy * dy + dz * dz;
    }
};

} // namespace diffpair
