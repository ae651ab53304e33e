#pragma once
#include <cmath>
#include <cstdint>

namespace diffpair {

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC11, 2011): four random words as a function of a counter and a key, without any state.
 */
inline void philox(uint32_t (&words)[4], uint64_t seed) {
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

/**
 * Three standard normal numbers for one atom in one step, by Box and Muller; up to 6.7 sigma. The random bits do not
 * depend on the precision of Real.
 */
template <class Real> inline void normalNoise(uint64_t seed, int replica, int step, int atom, Real* noise) {
    uint32_t words[4] = {static_cast<uint32_t>(atom), static_cast<uint32_t>(step), static_cast<uint32_t>(replica), 0};
    philox(words, seed);
    constexpr double unit = 1.0 / 4294967296.0, twoPi = 6.283185307179586;
    const Real radius0 = std::sqrt(Real(-2) * std::log(static_cast<Real>(unit * (words[0] + 1.0)))); // (0, 1]: log is finite
    const Real radius1 = std::sqrt(Real(-2) * std::log(static_cast<Real>(unit * (words[2] + 1.0))));
    const Real angle0 = static_cast<Real>(twoPi * unit * words[1]), angle1 = static_cast<Real>(twoPi * unit * words[3]);
    noise[0] = radius0 * std::cos(angle0);
    noise[1] = radius0 * std::sin(angle0);
    noise[2] = radius1 * std::cos(angle1);
}

} // namespace diffpair
