#pragma once
#include "HostDevice.h"
#include <cmath>
#include <cstdint>
#include <cstring>

namespace diffpair {

/** Atoms that are given their noise together: enough to fill vector registers, few enough to stay in the first cache. */
constexpr int noiseChunk = 64;

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC11, 2011): four random words as a function of a counter and a key, without any state.
 */
DIFFPAIR_HD inline void philox(uint32_t (&words)[4], uint64_t seed) {
    uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t first = uint64_t(0xD2511F53) * words[0], second = uint64_t(0xCD9E8D57) * words[2];
        words[0] = static_cast<uint32_t>(second >> 32) ^ words[1] ^ key0;
        words[2] = static_cast<uint32_t>(first >> 32) ^ words[3] ^ key1;
        words[1] = static_cast<uint32_t>(second);
        words[3] = static_cast<uint32_t>(first);
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
}

/** sqrt(-2 ln u) and the cosine and sine of 2 pi w / 2^32, with u = (word + 1) / 2^32 in (0, 1]. */
DIFFPAIR_HD inline void polar(uint32_t word, uint32_t w, double& radius, double& cosine, double& sine) {
    radius = std::sqrt(-2 * std::log((word + 1.0) / 4294967296.0));
    const double angle = w * (6.283185307179586 / 4294967296.0);
    cosine = std::cos(angle);
    sine = std::sin(angle);
}

/** The same to single precision, in arithmetic that a compiler can vectorise. */
DIFFPAIR_HD inline void polar(uint32_t word, uint32_t w, float& radius, float& cosine, float& sine) {
    // ln u = e ln 2 + 2 artanh((m - 1) / (m + 1)), m within a factor sqrt 2 of 1: five terms are exact to 1e-9.
    const float u = static_cast<int32_t>(word >> 16) * 0x1p-16f + (static_cast<int32_t>(word & 0xFFFF) + 1) * 0x1p-32f;
    int32_t bits;
    std::memcpy(&bits, &u, sizeof(bits));
    const int32_t exponent = (bits - 0x3F3504F3) >> 23; // bits of sqrt(1/2)
    bits -= exponent << 23;
    float m;
    std::memcpy(&m, &bits, sizeof(m));
    const float s = (m - 1) / (m + 1), s2 = s * s;
    const float artanh = s * (1 + s2 * (1 / 3.0f + s2 * (1 / 5.0f + s2 * (1 / 7.0f + s2 * (1 / 9.0f)))));
    radius = std::sqrt(std::fabs(2 * (exponent * 0.69314718f + 2 * artanh)));
    // The angle is a quarter turn's multiple and a rest of -pi/4 .. pi/4, taken to its Taylor polynomials.
    const uint32_t turned = w + 0x20000000u;
    const float a = static_cast<int32_t>(turned << 2 >> 2) * (1.5707963f * 0x1p-30f) - 0.78539816f, a2 = a * a;
    const float sinA = a * (1 - a2 * (1 / 6.0f - a2 * (1 / 120.0f - a2 * (1 / 5040.0f - a2 * (1 / 362880.0f)))));
    const float cosA = 1 - a2 * (1 / 2.0f - a2 * (1 / 24.0f - a2 * (1 / 720.0f - a2 * (1 / 40320.0f))));
    const int32_t quarter = static_cast<int32_t>(turned >> 30);
    const float first = quarter & 1 ? sinA : cosA, second = quarter & 1 ? cosA : sinA;
    cosine = (quarter + 1) & 2 ? -first : first;
    sine = quarter & 2 ? -second : second;
}

/** The random words of an atom in a step. */
DIFFPAIR_HD inline void noiseWords(uint64_t seed, int replica, int step, int atom, uint32_t (&words)[4]) {
    words[0] = static_cast<uint32_t>(atom);
    words[1] = static_cast<uint32_t>(step);
    words[2] = static_cast<uint32_t>(replica);
    words[3] = 0;
    philox(words, seed);
}

/** Three standard normal numbers from four random words, by Box and Muller. */
template <class Real>
DIFFPAIR_HD inline void wordsToNormal(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3, Real& first, Real& second,
                                      Real& third) {
    Real radius, cosine, sine;
    polar(w0, w1, radius, cosine, sine);
    first = radius * cosine;
    second = radius * sine;
    polar(w2, w3, radius, cosine, sine);
    third = radius * cosine;
}

/**
 * Standard normal numbers for up to noiseChunk atoms from `firstAtom` on: a function of seed, replica, step and atom. The
 * random bits do not depend on the precision of Real; no number is beyond 6.7.
 *
 * @param noise  [3][noiseChunk], overwritten
 */
template <class Real> inline void normalNoise(uint64_t seed, int replica, int step, int firstAtom, Real (&noise)[3][noiseChunk]) {
    uint32_t random[4][noiseChunk];
    for (int i = 0; i < noiseChunk; i++) {
        uint32_t words[4];
        noiseWords(seed, replica, step, firstAtom + i, words);
        for (int k = 0; k < 4; k++)
            random[k][i] = words[k];
    }
    for (int i = 0; i < noiseChunk; i++)
        wordsToNormal(random[0][i], random[1][i], random[2][i], random[3][i], noise[0][i], noise[1][i], noise[2][i]);
}

} // namespace diffpair
