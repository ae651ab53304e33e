#pragma once
// Eight lanes in single, four in double precision; see Pack.h for what each function does, PackAvx512.h for why fours are
// transposed.

namespace diffpair {
namespace {

/** For each mask of some lanes the lanes that are set, side by side, each as its parts of 32 bits, one byte a part. */
template <int lanes, int parts> struct PackingOrders {
    unsigned long long orders[1 << lanes];
    constexpr PackingOrders() : orders() {
        for (int mask = 0; mask < 1 << lanes; mask++)
            for (int lane = 0, at = 0; lane < lanes; lane++)
                for (int part = 0; part < parts && (mask >> lane & 1); part++)
                    orders[mask] |= static_cast<unsigned long long>(parts * lane + part) << (8 * at++);
    }
};
constexpr PackingOrders<8, 1> ordersOfEight;
constexpr PackingOrders<4, 2> ordersOfDoubles;
constexpr PackingOrders<4, 1> ordersOfFour;

template <> struct Pack<float> {
    using Lanes = __m256;
    using Mask = int; // one bit a lane
    using Indices = __m256i;
    static constexpr int width = 8;

    static Lanes all(float v) {
        return _mm256_set1_ps(v);
    }
    static Lanes load(const float* from) {
        return _mm256_loadu_ps(from);
    }
    static void store(float* to, Lanes v) {
        _mm256_storeu_ps(to, v);
    }
    static Indices loadIndices(const int* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    static void storeIndices(int* to, Indices v) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
    }
    static Lanes larger(Lanes a, Lanes b) {
        return _mm256_max_ps(a, b);
    }
    static Lanes smaller(Lanes a, Lanes b) {
        return _mm256_min_ps(a, b);
    }
    static Mask less(Lanes a, Lanes b) {
        return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ));
    }
    static Lanes choose(Mask which, Lanes yes, Lanes no) {
        const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        const __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(which), bits), bits);
        return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(set));
    }
    static Mask first(int n) {
        return n >= width ? 0xFF : n > 0 ? (1 << n) - 1 : 0;
    }
    static Mask both(Mask a, Mask b) {
        return a & b;
    }
    static int count(Mask which) {
        return __builtin_popcount(which);
    }
    static void pack(Mask which, Lanes v, float* to) {
        store(to, _mm256_permutevar8x32_ps(v, orderOf(which)));
    }
    static void pack(Mask which, Indices v, int* to) {
        storeIndices(to, _mm256_permutevar8x32_epi32(v, orderOf(which)));
    }
    static Lanes inverseSquareRoot(Lanes v) {
        return 1.0f / _mm256_sqrt_ps(v);
    }
    static Indices truncate(Lanes v) {
        return _mm256_cvttps_epi32(v);
    }
    static Lanes toReal(Indices v) {
        return _mm256_cvtepi32_ps(v);
    }
    static Indices lookUp(const int* table, int size, Indices at) {
        if (size <= width)
            return _mm256_permutevar8x32_epi32(loadIndices(table), at);
        return _mm256_i32gather_epi32(table, at, 4);
    }
    static void loadFours(const float* base, const int* offsets, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        const Lanes p = fourOf(base, offsets), q = fourOf(base, offsets + 1), r = fourOf(base, offsets + 2),
                    s = fourOf(base, offsets + 3);
        const Lanes pq = _mm256_unpacklo_ps(p, q), rs = _mm256_unpacklo_ps(r, s);
        a = _mm256_shuffle_ps(pq, rs, 0x44);
        b = _mm256_shuffle_ps(pq, rs, 0xEE);
        const Lanes high = _mm256_unpackhi_ps(p, q), higher = _mm256_unpackhi_ps(r, s);
        c = _mm256_shuffle_ps(high, higher, 0x44);
        d = _mm256_shuffle_ps(high, higher, 0xEE);
    }
    static void subtractFromFours(float* base, const int* offsets, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm256_setzero_ps(), fours);
        for (int k = 0; k < 4; k++)
            for (int half = 0; half < 2; half++) {
                float* at = base + offsets[k + 4 * half];
                _mm_store_ps(at, _mm_sub_ps(_mm_load_ps(at), halfOf(fours[k], half)));
            }
    }
    static void addToFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        Lanes fours[4];
        transpose(a, b, c, d, fours);
        for (int k = 0; k < 4; k++)
            for (int half = 0; half < 2; half++) {
                double* at = base + offsets[k + 4 * half];
                _mm256_storeu_pd(at, _mm256_add_pd(_mm256_loadu_pd(at), _mm256_cvtps_pd(halfOf(fours[k], half))));
            }
    }
    static void addTotals(float* four, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm256_setzero_ps(), fours);
        const Lanes sum = (fours[0] + fours[1]) + (fours[2] + fours[3]);
        _mm_store_ps(four, _mm_add_ps(_mm_load_ps(four), _mm_add_ps(halfOf(sum, 0), halfOf(sum, 1))));
    }
    static double total(Lanes v) {
        const __m256d sum = _mm256_add_pd(_mm256_cvtps_pd(halfOf(v, 0)), _mm256_cvtps_pd(halfOf(v, 1)));
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }

private:
    static __m256i orderOf(Mask which) {
        return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(ordersOfEight.orders[which])));
    }
    static __m128 halfOf(Lanes v, int half) {
        return half ? _mm256_extractf128_ps(v, 1) : _mm256_castps256_ps128(v);
    }
    /** The fours at offsets 0 and 4. */
    static Lanes fourOf(const float* base, const int* offsets) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(base + offsets[0])), _mm_load_ps(base + offsets[4]), 1);
    }
    /** The inverse of loadFours: fours[k] holds those of lanes k and k + 4. */
    static void transpose(Lanes a, Lanes b, Lanes c, Lanes d, Lanes* fours) {
        const Lanes ab = _mm256_unpacklo_ps(a, b), cd = _mm256_unpacklo_ps(c, d);
        fours[0] = _mm256_shuffle_ps(ab, cd, 0x44);
        fours[1] = _mm256_shuffle_ps(ab, cd, 0xEE);
        const Lanes high = _mm256_unpackhi_ps(a, b), higher = _mm256_unpackhi_ps(c, d);
        fours[2] = _mm256_shuffle_ps(high, higher, 0x44);
        fours[3] = _mm256_shuffle_ps(high, higher, 0xEE);
    }
};

template <> struct Pack<double> {
    using Lanes = __m256d;
    using Mask = int; // one bit a lane
    using Indices = __m128i;
    static constexpr int width = 4;

    static Lanes all(double v) {
        return _mm256_set1_pd(v);
    }
    static Lanes load(const double* from) {
        return _mm256_loadu_pd(from);
    }
    static void store(double* to, Lanes v) {
        _mm256_storeu_pd(to, v);
    }
    static Indices loadIndices(const int* from) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    }
    static void storeIndices(int* to, Indices v) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v);
    }
    static Lanes larger(Lanes a, Lanes b) {
        return _mm256_max_pd(a, b);
    }
    static Lanes smaller(Lanes a, Lanes b) {
        return _mm256_min_pd(a, b);
    }
    static Mask less(Lanes a, Lanes b) {
        return _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
    }
    static Lanes choose(Mask which, Lanes yes, Lanes no) {
        const __m256i bits = _mm256_setr_epi64x(1, 2, 4, 8);
        const __m256i set = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(which), bits), bits);
        return _mm256_blendv_pd(no, yes, _mm256_castsi256_pd(set));
    }
    static Mask first(int n) {
        return n >= width ? 0xF : n > 0 ? (1 << n) - 1 : 0;
    }
    static Mask both(Mask a, Mask b) {
        return a & b;
    }
    static int count(Mask which) {
        return __builtin_popcount(which);
    }
    static void pack(Mask which, Lanes v, double* to) {
        const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(ordersOfDoubles.orders[which])));
        store(to, _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), order)));
    }
    static void pack(Mask which, Indices v, int* to) {
        const __m128i order = _mm_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(ordersOfFour.orders[which])));
        storeIndices(to, _mm_castps_si128(_mm_permutevar_ps(_mm_castsi128_ps(v), order)));
    }
    static Lanes inverseSquareRoot(Lanes v) {
        return 1.0 / _mm256_sqrt_pd(v);
    }
    static Indices truncate(Lanes v) {
        return _mm256_cvttpd_epi32(v);
    }
    static Lanes toReal(Indices v) {
        return _mm256_cvtepi32_pd(v);
    }
    static Indices lookUp(const int* table, int size, Indices at) {
        if (size <= width)
            return _mm_castps_si128(_mm_permutevar_ps(_mm_castsi128_ps(loadIndices(table)), at));
        return _mm_i32gather_epi32(table, at, 4);
    }
    static void loadFours(const double* base, const int* offsets, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        Lanes fours[4];
        transpose(load(base + offsets[0]), load(base + offsets[1]), load(base + offsets[2]), load(base + offsets[3]), fours);
        a = fours[0], b = fours[1], c = fours[2], d = fours[3];
    }
    static void subtractFromFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm256_setzero_pd(), fours);
        for (int k = 0; k < 4; k++)
            store(base + offsets[k], load(base + offsets[k]) - fours[k]);
    }
    static void addToFours(double* base, const int* offsets, Lanes a, Lanes b, Lanes c, Lanes d) {
        Lanes fours[4];
        transpose(a, b, c, d, fours);
        for (int k = 0; k < 4; k++)
            store(base + offsets[k], load(base + offsets[k]) + fours[k]);
    }
    static void addTotals(double* four, Lanes a, Lanes b, Lanes c) {
        Lanes fours[4];
        transpose(a, b, c, _mm256_setzero_pd(), fours);
        store(four, load(four) + ((fours[0] + fours[1]) + (fours[2] + fours[3])));
    }
    static double total(Lanes v) {
        return (v[0] + v[1]) + (v[2] + v[3]);
    }

private:
    static void transpose(Lanes a, Lanes b, Lanes c, Lanes d, Lanes* fours) {
        const Lanes ab = _mm256_unpacklo_pd(a, b), cd = _mm256_unpacklo_pd(c, d);
        fours[0] = _mm256_permute2f128_pd(ab, cd, 0x20);
        fours[2] = _mm256_permute2f128_pd(ab, cd, 0x31);
        const Lanes high = _mm256_unpackhi_pd(a, b), higher = _mm256_unpackhi_pd(c, d);
        fours[1] = _mm256_permute2f128_pd(high, higher, 0x20);
        fours[3] = _mm256_permute2f128_pd(high, higher, 0x31);
    }
};

} // namespace
} // namespace diffpair
