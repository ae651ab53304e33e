#include "PairKernels.h"
#include <cstdlib>
#include <cstring>

namespace diffpair {

namespace {

template <class Real> PairKernels<Real> choose() {
#ifdef DIFFPAIR_X86_VARIANTS
    const char* wanted = std::getenv("DIFFPAIR_ISA");
    const bool any = wanted == nullptr || *wanted == 0;
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4 && (any || std::strcmp(wanted, "x86-64-v4") == 0))
        return v4PairKernels<Real>();
    if (v3 && (any || std::strcmp(wanted, "x86-64-v3") == 0))
        return v3PairKernels<Real>();
#endif
    return portablePairKernels<Real>();
}

} // namespace

template <class Real> const PairKernels<Real>& pairKernels() {
    static const PairKernels<Real> kernels = choose<Real>();
    return kernels;
}
template const PairKernels<float>& pairKernels<float>();
template const PairKernels<double>& pairKernels<double>();

} // namespace diffpair
