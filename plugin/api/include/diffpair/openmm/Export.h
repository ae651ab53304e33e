#pragma once

// Everything is compiled with hidden visibility; what other libraries use is marked. SWIG reads these headers too.
#ifdef SWIG
#define DIFFPAIR_OPENMM_EXPORT
#else
#define DIFFPAIR_OPENMM_EXPORT __attribute__((visibility("default")))
#endif
