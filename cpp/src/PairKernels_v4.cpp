// The pair loops for x86-64-v4; CMake compiles this file, and no other, with -march=x86-64-v4.
#define DIFFPAIR_KERNELS v4PairKernels
#include "PairKernels.inl"
