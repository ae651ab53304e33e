#pragma once

namespace DiffPairPlugin {

/**
 * What OpenMM's nonbonded kernels do with one pair of particles, in the dialect that OpenMM compiles for OpenCL, CUDA and HIP. It
 * finds r2, invR and delta, and adds to tempEnergy and to dEdR, which stands for -dU/dr / r and multiplies delta.
 *
 * To be replaced: SKIP (true for pairs that do not interact), ROW (where the pieces of the pair's types begin), TABLE and
 * NUM_CLOSE (arrays), R_MIN, INVERSE_SPACING, TABLE_CUTOFF_SQUARED, DERIVATIVES (nothing, or what derivativeInteraction has
 * become).
 *
 * Nothing is read from the table for pairs that are skipped: particles that only fill up a tile have no valid type. Rounding can
 * carry a pair just inside the cutoff to the piece after the last one, which is 0. invR is infinite for particles at one place;
 * 0 instead leaves them without a force and with the energy at r = 0.
 */
constexpr const char* pairInteraction = R"(
if (!(SKIP) && r2 < TABLE_CUTOFF_SQUARED) {
    const bool apart = (r2 > 1e-30f);
    const real s = ((apart ? r2*invR : (real) 0)-R_MIN)*INVERSE_SPACING;
    const int interval = (s < 0 ? 0 : (int) s);
    const real t = s-interval;
    const int piece = (ROW)+(s < 0 ? 0 : interval+1);
    const real4 a = TABLE[piece];
    tempEnergy += a.x+t*(a.y+t*(a.z+t*a.w));
    dEdR -= (apart ? invR*INVERSE_SPACING : (real) 0)*(a.y+t*(2*a.z+t*3*a.w));
    DERIVATIVES
    if (s < 0 && (a.x != 0 || a.y != 0)) {
        ATOMIC_ADD(NUM_CLOSE, (mm_ulong) (interactionScale < 0.75f ? 1 : 2));
    }
}
)";

/** dU/d(parameter) of the pair, added to the kernel's variable SUM. To be replaced: SUM and DERIVATIVE_TABLE (an array). */
constexpr const char* derivativeInteraction = R"(
    {
        const real4 d = DERIVATIVE_TABLE[piece];
        SUM += interactionScale*(d.x+t*(d.y+t*(d.z+t*d.w)));
    }
)";

/**
 * SKIP for a force without and with exclusions. Both look for particles that only fill up the last block: where OpenMM's
 * kernels take pairs from a list of single pairs, isExcluded is false for those too.
 */
constexpr const char* skipSelf = "atom1 == atom2 || atom1 >= NUM_ATOMS || atom2 >= NUM_ATOMS";
constexpr const char* skipExcluded = "isExcluded || atom1 >= NUM_ATOMS || atom2 >= NUM_ATOMS";

} // namespace DiffPairPlugin
