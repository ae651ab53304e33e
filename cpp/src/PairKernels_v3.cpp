// The pair loops for x86-64-v3; CMake compiles this file, and no other, with -march=x86-64-v3.
#define DIFFPAIR_KERNELS v3PairKernels
#include "PairKernels.inl"
