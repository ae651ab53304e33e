#pragma once
// One register's worth of numbers, of the instruction set that the including file is compiled for. The kernels are written
// once, over Pack<Real>::width pairs at a time. Everything is always inlined and in an anonymous namespace: no copy made
// for one instruction set may be the one that the linker keeps for another.
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace diffpair {
namespace {

/**
 * Any processor: one number at a time. This is also the definition of what the others must do.
 *
 * A "four" is four consecutive numbers at an aligned place: x, y, z and type of an atom, or the coefficients of a
 * polynomial. Loading fours turns them into one register for each of the four.
 */
template <class Real> struct Pack {
    using Lanes = Real;
    using Mask = bool;
    using Indices = int;
    static constexpr int width = 1;

    static Lanes all(Real v) {
        return v;
    }
    static Lanes load(const Real* from) {
        return *from;
    }
    static void store(Real* to, Lanes v) {
        *to = v;
    }
    static Indices loadIndices(const int* from) {
        return *from;
    }
    static void storeIndices(int* to, Indices v) {
        *to = v;
    }
    static Lanes larger(Lanes a, Lanes b) {
        return a > b ? a : b;
    }
    static Lanes smaller(Lanes a, Lanes b) {
        return a < b ? a : b;
    }
    static Mask less(Lanes a, Lanes b) {
        return a < b;
    }
    static Lanes choose(Mask which, Lanes yes, Lanes no) {
        return which ? yes : no;
    }
    /** The first n lanes. */
    static Mask first(int n) {
        return n > 0;
    }
    static Mask both(Mask a, Mask b) {
        return a && b;
    }
    static int count(Mask which) {
        return which;
    }
    /** Lanes that are set, side by side; room for a whole pack is needed. */
    static void pack(Mask, Lanes v, Real* to) {
        *to = v;
    }
    static void pack(Mask, Indices v, int* to) {
        *to = v;
    }
    static Lanes inverseSquareRoot(Lanes v) {
        return 1 / (sizeof(Real) == 4 ? Real(__builtin_sqrtf(float(v))) : Real(__builtin_sqrt(double(v))));
    }
    static Indices truncate(Lanes v) {
        return static_cast<int>(v);
    }
    static Lanes toReal(Indices v) {
        return static_cast<Real>(v);
    }
    /** Entries of a table of this size, with room for a whole pack behind it. */
    static Indices lookUp(const int* table, int, Indices at) {
        return table[at];
    }
    static void loadFours(const Real* base, const int* offsets, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        const Real* p = base + *offsets;
        a = p[0], b = p[1], c = p[2], d = p[3];
    }
    static void subtractFromFours(Real* base, const int* offsets, Lanes a, Lanes b, Lanes c) {
        Real* p = base + *offsets;
        p[0] -= a, p[1] -= b, p[2] -= c;
    }
    static void addToFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        double* p = base + *offsets;
        p[0] += a, p[1] += b, p[2] += c, p[3] += d;
    }
    /** Adds the sums over all lanes to a four. */
    static void addTotals(Real* four, Lanes a, Lanes b, Lanes c) {
        four[0] += a, four[1] += b, four[2] += c;
    }
    static double total(Lanes v) {
        return v;
    }
};

} // namespace
} // namespace diffpair

#if defined(__AVX512F__)
#include "PackAvx512.h"
#elif defined(__AVX2__)
#include "PackAvx2.h"
#endif
