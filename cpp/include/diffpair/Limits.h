#pragma once

namespace diffpair {

// What the core takes. Beyond, numbers would overflow or lose the digits that distances need; whoever lets numbers in checks.

constexpr double maxCoordinate = 1e9;                        // nm; doubles still tell places 1e-7 nm apart
constexpr double smallestCutoff = 1e-6, largestCutoff = 1e6; // nm; squares and inverses fit into single precision
constexpr int maxKnots = 1000000;                            // of a table; closer ones single precision cannot tell apart
constexpr int maxTypes = 4096;                               // numbers of pairs of types are whole numbers in single precision
constexpr int maxAtoms = 1 << 28;                            // offsets into fours are ints

} // namespace diffpair
