#pragma once

/** Before functions that run on a GPU too; an ordinary compiler sees nothing. */
#ifdef __CUDACC__
#define DIFFPAIR_HD __host__ __device__
#else
#define DIFFPAIR_HD
#endif
