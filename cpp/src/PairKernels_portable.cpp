// The pair loops for any processor.
#define DIFFPAIR_KERNELS portablePairKernels
#include "PairKernels.inl"
