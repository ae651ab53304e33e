#pragma once
// Sixteen lanes in single, eight in double precision; see Pack.h for what each function does.
//
// Fours are loaded one by one and transposed: on the processors measured, half the time of a gather per component. The
// same holds for what is added to them, where each addition also sees the ones before it, so offsets may repeat.

namespace diffpair {
namespace {

template <> struct Pack<float> {
    using Lanes = __m512;
    using Mask = __mmask16;
    using Indices = __m512i;
    static constexpr int width = 16;

    static Lanes all(float v) {
        return _mm512_set1_ps(v);
    }
    static Lanes load(const float* from) {
        return _mm512_loadu_ps(from);
    }
    static void store(float* to, Lanes v) {
        _mm512_storeu_ps(to, v);
    }
    static Indices loadIndices(const int* from) {
        return _mm512_loadu_si512(from);
    }
    static void storeIndices(int* to, Indices v) {
        _mm512_storeu_si512(to, v);
    }
    static Lanes larger(Lanes a, Lanes b) {
        return _mm512_max_ps(a, b);
    }
    static Lanes smaller(Lanes a, Lanes b) {
        return _mm512_min_ps(a, b);
    }
    static Mask less(Lanes a, Lanes b) {
        return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
    }
    static Lanes choose(Mask which, Lanes yes, Lanes no) {
        return _mm512_mask_blend_ps(which, no, yes);
    }
    static Mask first(int n) {
        return n >= width ? Mask(0xFFFF) : n > 0 ? static_cast<Mask>((1u << n) - 1) : Mask(0);
    }
    static Mask both(Mask a, Mask b) {
        return a & b;
    }
    static int count(Mask which) {
        return __builtin_popcount(which);
    }
    // Compressing in a register and storing all of it is much faster than a compressing store.
    static void pack(Mask which, Lanes v, float* to) {
        _mm512_storeu_ps(to, _mm512_maskz_compress_ps(which, v));
    }
    static void pack(Mask which, Indices v, int* to) {
        _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(which, v));
    }
    /** Exact to rounding: 14 bits from the table, doubled by a step of Newton's. */
    static Lanes inverseSquareRoot(Lanes v) {
        const Lanes y = _mm512_rsqrt14_ps(v);
        const Lanes error = 1.0f - v * y * y;
        return y + 0.5f * y * error;
    }
    static Indices truncate(Lanes v) {
        return _mm512_cvttps_epi32(v);
    }
    static Lanes toReal(Indices v) {
        return _mm512_cvtepi32_ps(v);
    }
    static Indices lookUp(const int* table, int size, Indices at) {
        if (size <= width)
            return _mm512_permutexvar_epi32(at, loadIndices(table));
        return _mm512_i32gather_epi32(at, table, 4);
    }
    static void loadFours(const float* base, const int* offsets, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        const Lanes p = fourOf(base, offsets), q = fourOf(base, offsets + 1), r = fourOf(base, offsets + 2),
                    s = fourOf(base, offsets + 3);
        const Lanes pq = _mm512_unpacklo_ps(p, q), rs = _mm512_unpacklo_ps(r, s);
        a = _mm512_shuffle_ps(pq, rs, 0x44);
        b = _mm512_shuffle_ps(pq, rs, 0xEE);
        const Lanes high = _mm512_unpackhi_ps(p, q), higher = _mm512_unpackhi_ps(r, s);
        c = _mm512_shuffle_ps(high, higher, 0x44);
        d = _mm512_shuffle_ps(high, higher, 0xEE);
    }
    static void subtractFromFours(float* base, const int* offsets, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm512_setzero_ps(), fours);
        const auto subtract = [&](int k, __m128 v) {
            float* at = base + offsets[k];
            _mm_store_ps(at, _mm_sub_ps(_mm_load_ps(at), v));
        };
        const auto subtractFrom = [&](int k) {
            subtract(k, _mm512_castps512_ps128(fours[k]));
            subtract(k + 4, _mm512_extractf32x4_ps(fours[k], 1));
            subtract(k + 8, _mm512_extractf32x4_ps(fours[k], 2));
            subtract(k + 12, _mm512_extractf32x4_ps(fours[k], 3));
        };
        subtractFrom(0), subtractFrom(1), subtractFrom(2), subtractFrom(3);
    }
    static void addToFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        Lanes fours[4];
        transpose(a, b, c, d, fours);
        const auto add = [&](int k, __m128 v) {
            double* at = base + offsets[k];
            _mm256_storeu_pd(at, _mm256_add_pd(_mm256_loadu_pd(at), _mm256_cvtps_pd(v)));
        };
        const auto addFrom = [&](int k) {
            add(k, _mm512_castps512_ps128(fours[k]));
            add(k + 4, _mm512_extractf32x4_ps(fours[k], 1));
            add(k + 8, _mm512_extractf32x4_ps(fours[k], 2));
            add(k + 12, _mm512_extractf32x4_ps(fours[k], 3));
        };
        addFrom(0), addFrom(1), addFrom(2), addFrom(3);
    }
    static void addTotals(float* four, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm512_setzero_ps(), fours);
        const Lanes sum = (fours[0] + fours[1]) + (fours[2] + fours[3]);
        const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
        const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
        _mm_store_ps(four, _mm_add_ps(_mm_load_ps(four), quarter));
    }
    static double total(Lanes v) {
        return _mm512_reduce_add_pd(
            _mm512_add_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(v)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1))));
    }

private:
    /** The fours at offsets 0, 4, 8 and 12. */
    static Lanes fourOf(const float* base, const int* offsets) {
        Lanes v = _mm512_castps128_ps512(_mm_load_ps(base + offsets[0]));
        v = _mm512_insertf32x4(v, _mm_load_ps(base + offsets[4]), 1);
        v = _mm512_insertf32x4(v, _mm_load_ps(base + offsets[8]), 2);
        return _mm512_insertf32x4(v, _mm_load_ps(base + offsets[12]), 3);
    }
    /** The inverse of loadFours: fours[k] holds those of lanes k, k + 4, k + 8 and k + 12. */
    static void transpose(Lanes a, Lanes b, Lanes c, Lanes d, Lanes* fours) {
        const Lanes ab = _mm512_unpacklo_ps(a, b), cd = _mm512_unpacklo_ps(c, d);
        fours[0] = _mm512_shuffle_ps(ab, cd, 0x44);
        fours[1] = _mm512_shuffle_ps(ab, cd, 0xEE);
        const Lanes high = _mm512_unpackhi_ps(a, b), higher = _mm512_unpackhi_ps(c, d);
        fours[2] = _mm512_shuffle_ps(high, higher, 0x44);
        fours[3] = _mm512_shuffle_ps(high, higher, 0xEE);
    }
};

template <> struct Pack<double> {
    using Lanes = __m512d;
    using Mask = __mmask8;
    using Indices = __m256i;
    static constexpr int width = 8;

    static Lanes all(double v) {
        return _mm512_set1_pd(v);
    }
    static Lanes load(const double* from) {
        return _mm512_loadu_pd(from);
    }
    static void store(double* to, Lanes v) {
        _mm512_storeu_pd(to, v);
    }
    static Indices loadIndices(const int* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    static void storeIndices(int* to, Indices v) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
    }
    static Lanes larger(Lanes a, Lanes b) {
        return _mm512_max_pd(a, b);
    }
    static Lanes smaller(Lanes a, Lanes b) {
        return _mm512_min_pd(a, b);
    }
    static Mask less(Lanes a, Lanes b) {
        return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
    }
    static Lanes choose(Mask which, Lanes yes, Lanes no) {
        return _mm512_mask_blend_pd(which, no, yes);
    }
    static Mask first(int n) {
        return n >= width ? Mask(0xFF) : n > 0 ? static_cast<Mask>((1u << n) - 1) : Mask(0);
    }
    static Mask both(Mask a, Mask b) {
        return a & b;
    }
    static int count(Mask which) {
        return __builtin_popcount(which);
    }
    static void pack(Mask which, Lanes v, double* to) {
        _mm512_storeu_pd(to, _mm512_maskz_compress_pd(which, v));
    }
    static void pack(Mask which, Indices v, int* to) {
        storeIndices(to, _mm256_maskz_compress_epi32(which, v));
    }
    /** Exact to rounding: 14 bits from the table, doubled twice by steps of Newton's. */
    static Lanes inverseSquareRoot(Lanes v) {
        Lanes y = _mm512_rsqrt14_pd(v);
        y = y + 0.5 * y * (1.0 - v * y * y);
        return y + 0.5 * y * (1.0 - v * y * y);
    }
    static Indices truncate(Lanes v) {
        return _mm512_cvttpd_epi32(v);
    }
    static Lanes toReal(Indices v) {
        return _mm512_cvtepi32_pd(v);
    }
    static Indices lookUp(const int* table, int size, Indices at) {
        if (size <= width)
            return _mm256_permutevar8x32_epi32(loadIndices(table), at);
        return _mm256_i32gather_epi32(table, at, 4);
    }
    static void loadFours(const double* base, const int* offsets, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        const Lanes p = fourOf(base, offsets), q = fourOf(base, offsets + 1), r = fourOf(base, offsets + 4),
                    s = fourOf(base, offsets + 5);
        const Lanes pq = _mm512_unpacklo_pd(p, q), rs = _mm512_unpacklo_pd(r, s);
        a = _mm512_shuffle_f64x2(pq, rs, 0x88);
        c = _mm512_shuffle_f64x2(pq, rs, 0xDD);
        const Lanes high = _mm512_unpackhi_pd(p, q), higher = _mm512_unpackhi_pd(r, s);
        b = _mm512_shuffle_f64x2(high, higher, 0x88);
        d = _mm512_shuffle_f64x2(high, higher, 0xDD);
    }
    static void subtractFromFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c) {
        addTo(base, offsets, -a, -b, -c, _mm512_setzero_pd());
    }
    static void addToFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        addTo(base, offsets, a, b, c, d);
    }
    static void addTotals(double* four, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm512_setzero_pd(), fours);
        const Lanes sum = (fours[0] + fours[1]) + (fours[2] + fours[3]);
        _mm256_storeu_pd(four, _mm256_loadu_pd(four) + (_mm512_castpd512_pd256(sum) + _mm512_extractf64x4_pd(sum, 1)));
    }
    static double total(Lanes v) {
        return _mm512_reduce_add_pd(v);
    }

private:
    /** The fours at offsets 0 and 2. */
    static Lanes fourOf(const double* base, const int* offsets) {
        return _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(base + offsets[0])), _mm256_loadu_pd(base + offsets[2]),
                                  1);
    }
    static void addTo(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        Lanes fours[4];
        transpose(a, b, c, d, fours);
        const auto add = [&](int k, __m256d v) {
            double* at = base + offsets[k];
            _mm256_storeu_pd(at, _mm256_loadu_pd(at) + v);
        };
        const auto addFrom = [&](int k) {
            add(k, _mm512_castpd512_pd256(fours[k]));
            add(k + 4, _mm512_extractf64x4_pd(fours[k], 1));
        };
        addFrom(0), addFrom(1), addFrom(2), addFrom(3);
    }
    /** Fours of lanes: fours[k] holds those of lanes k and k + 4. */
    static void transpose(Lanes a, Lanes b, Lanes c, Lanes d, Lanes* fours) {
        const __m512i even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        const Lanes ab = _mm512_unpacklo_pd(a, b), cd = _mm512_unpacklo_pd(c, d);
        fours[0] = _mm512_permutex2var_pd(ab, even, cd);
        fours[2] = _mm512_permutex2var_pd(ab, odd, cd);
        const Lanes high = _mm512_unpackhi_pd(a, b), higher = _mm512_unpackhi_pd(c, d);
        fours[1] = _mm512_permutex2var_pd(high, even, higher);
        fours[3] = _mm512_permutex2var_pd(high, odd, higher);
    }
};

} // namespace
} // namespace diffpair
