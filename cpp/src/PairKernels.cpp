#include "PairKernels.h"
#include "diffpair/InstructionSet.h"
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace diffpair {

namespace {

/** Names for DIFFPAIR_ISA, slowest first. */
const std::vector<std::string> allSets = {"portable", "x86-64-v3", "x86-64-v4"};

/** How many of them, from the first on, this processor runs. */
size_t numRunnable() {
#ifdef DIFFPAIR_X86_VARIANTS
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return v4 ? 3 : v3 ? 2 : 1;
#else
    return 1;
#endif
}

std::string listOf(size_t number) {
    std::string names = allSets[0];
    for (size_t k = 1; k < number; k++)
        names += (k + 1 < number ? ", " : " and ") + allSets[k];
    return names;
}

/** What DIFFPAIR_ISA asks for, or the best; as an index of allSets. */
size_t chosenSet() {
    const char* variable = std::getenv("DIFFPAIR_ISA");
    const std::string wanted = variable == nullptr ? "" : variable;
    if (wanted.empty())
        return numRunnable() - 1;
    const size_t at = std::find(allSets.begin(), allSets.end(), wanted) - allSets.begin();
    if (at == allSets.size())
        throw std::invalid_argument("The environment variable DIFFPAIR_ISA is '" + wanted + "', but its values are " +
                                    listOf(allSets.size()) + "; without it the fastest is chosen.");
    if (at >= numRunnable())
        throw std::invalid_argument("The environment variable DIFFPAIR_ISA is '" + wanted +
                                    "', which this processor cannot run; it runs " + listOf(numRunnable()) + ".");
    return at;
}

template <class Real> PairKernels<Real> choose() {
    switch (chosenSet()) {
#ifdef DIFFPAIR_X86_VARIANTS
    case 2:
        return v4PairKernels<Real>();
    case 1:
        return v3PairKernels<Real>();
#endif
    default:
        return portablePairKernels<Real>();
    }
}

} // namespace

std::string instructionSet() {
    return allSets[chosenSet()];
}

template <class Real> const PairKernels<Real>& pairKernels() {
    static const PairKernels<Real> kernels = choose<Real>();
    return kernels;
}
template const PairKernels<float>& pairKernels<float>();
template const PairKernels<double>& pairKernels<double>();

} // namespace diffpair
