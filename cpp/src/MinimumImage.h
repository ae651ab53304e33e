#pragma once
#include "diffpair/PairSystem.h"
#include "HostDevice.h"

namespace diffpair {

// Always inlined: these are used by the kernels of several instruction sets, and an out-of-line copy made for the newest
// could be the one that the linker keeps.

/** Round to nearest by adding and subtracting 1.5 * 2^mantissa: two instructions on any processor, and vectorisable. */
template <class Real, class Value> [[gnu::always_inline]] DIFFPAIR_HD inline Value roundTo(Value v) {
    constexpr Real magic = sizeof(Real) == 4 ? Real(12582912.0) : Real(6755399441055744.0);
    return (v + magic) - magic;
}
[[gnu::always_inline]] inline double roundNearest(double v) {
    return roundTo<double>(v);
}

/** What it takes to bring the difference of two positions to the nearest image. */
enum class Images { None, Rectangular, Triclinic };

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
    /**
     * Replace (dx, dy, dz), numbers or vectors of them, by the minimum image; exact whenever that is shorter than
     * Box::maxCutoff(), and always in a rectangular box.
     */
    template <Images images, class Value> [[gnu::always_inline]] DIFFPAIR_HD void apply(Value& dx, Value& dy, Value& dz) const {
        if (images == Images::Triclinic) {
            const Value k = roundTo<Real, Value>(dz * invC);
            dx -= cx * k;
            dy -= cy * k;
            dz -= c * k;
            const Value l = roundTo<Real, Value>(dy * invB);
            dx -= bx * l;
            dy -= b * l;
            dx -= a * roundTo<Real, Value>(dx * invA);
        } else if (images == Images::Rectangular) {
            dx -= a * roundTo<Real, Value>(dx * invA);
            dy -= b * roundTo<Real, Value>(dy * invB);
            dz -= c * roundTo<Real, Value>(dz * invC);
        }
    }
};

} // namespace diffpair
