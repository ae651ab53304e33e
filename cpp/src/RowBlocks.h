#pragma once
#include <algorithm>
#include <cstdint>

namespace diffpair {

/** First of `count` items of block `block` when they are dealt out evenly in order. */
inline int evenBlockStart(int count, int numBlocks, int block) {
    return static_cast<int>(static_cast<int64_t>(count) * block / numBlocks);
}

/** First row of block `block` when rows are split so that every block has about the same number of listed pairs. */
inline int balancedBlockStart(const int64_t* start, int numRows, int numBlocks, int block) {
    if (block == 0)
        return 0;
    if (block == numBlocks)
        return numRows;
    const int64_t target = start[numRows] * block / numBlocks;
    return static_cast<int>(std::lower_bound(start, start + numRows + 1, target) - start);
}

} // namespace diffpair
