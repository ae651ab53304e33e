#pragma once
#include "HostDevice.h"
#include <atomic>

namespace diffpair::cuda {

// Kernels are functors that any compiler understands. One kind is called once per element, as f(element). The other is called
// by all threads of a team, as f(team, number of the team, shared memory): on a GPU by a thread block. Whoever runs them on
// a processor passes a team of its own (tests/core/cpp/HostQueue.h). A Team has rank(), size(), a power of two, and sync().

template <class Real> struct alignas(4 * sizeof(Real)) Four {
    Real x, y, z, w;
};

/** Adds 1 and returns what was there before, among the threads of a team. */
DIFFPAIR_HD inline int countUp(int* counter) {
#ifdef __CUDA_ARCH__
    return atomicAdd(counter, 1);
#else
    return std::atomic_ref<int>(*counter).fetch_add(1, std::memory_order_relaxed);
#endif
}

/**
 * Sum of each thread's value, in a fixed order, known to all of them.
 *
 * @param scratch  [team.size()], shared; free again afterwards
 */
template <class Team> DIFFPAIR_HD double sumOverTeam(Team& team, double value, double* scratch) {
    scratch[team.rank()] = value;
    team.sync();
    for (int half = team.size() / 2; half > 0; half /= 2) {
        if (team.rank() < half)
            scratch[team.rank()] += scratch[team.rank() + half];
        team.sync();
    }
    const double total = scratch[0];
    team.sync();
    return total;
}

} // namespace diffpair::cuda
