#pragma once

#include <string>

namespace diffpair {

/**
 * Name of the instruction set whose pair loops run here: portable, x86-64-v3 or x86-64-v4.
 * Throws std::invalid_argument where DIFFPAIR_ISA in the environment names none that this processor runs.
 */
std::string instructionSet();

} // namespace diffpair
