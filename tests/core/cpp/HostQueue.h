#pragma once
#include <algorithm>
#include <barrier>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace diffpair::cuda {

/** A team whose threads are real ones, as few as asked for: barriers and shared memory work as on a GPU. */
class HostTeam {
public:
    HostTeam(int rank, int size, std::barrier<>& barrier) : ownRank(rank), ownSize(size), barrier(barrier) {
    }
    int rank() const {
        return ownRank;
    }
    int size() const {
        return ownSize;
    }
    void sync() {
        barrier.arrive_and_wait();
    }

private:
    const int ownRank, ownSize;
    std::barrier<>& barrier;
};

/** Runs the kernels of cpp/cuda on the processor. */
class HostQueue {
public:
    /** @param teamSize  threads of every team, a power of two, whatever the kernels ask for */
    explicit HostQueue(int teamSize) : teamSize(teamSize) {
    }

    template <class T> T* allocate(size_t count) {
        // Each a block of its own, so that a sanitizer sees who reaches beyond one.
        blocks.emplace_back(::operator new(count * sizeof(T) + 1, std::align_val_t(64)));
        clear(static_cast<T*>(blocks.back().get()), count);
        return static_cast<T*>(blocks.back().get());
    }
    template <class T> T* upload(const std::vector<T>& values) {
        T* copy = allocate<T>(values.size());
        if (!values.empty())
            std::memcpy(static_cast<void*>(copy), values.data(), values.size() * sizeof(T));
        return copy;
    }
    template <class T> std::vector<T> download(const T* values, size_t count) {
        return std::vector<T>(values, values + count);
    }
    template <class T> void clear(T* values, size_t count) {
        std::memset(static_cast<void*>(values), 0, count * sizeof(T));
    }
    template <class F> void forEach(size_t count, const F& f) {
        for (size_t k = 0; k < count; k++)
            f(k);
    }
    template <class F> void forTeams(int numTeams, int wantedSize, size_t sharedBytes, const F& f) {
        const int size = std::min(teamSize, wantedSize);
        std::vector<double> shared(sharedBytes / sizeof(double) + 1);
        std::barrier<> barrier(size);
        const auto member = [&](int rank) {
            HostTeam team(rank, size, barrier);
            for (int number = 0; number < numTeams; number++) {
                f(team, number, reinterpret_cast<char*>(shared.data()));
                team.sync(); // the next team has the memory to itself
            }
        };
        std::vector<std::thread> others;
        for (int rank = 1; rank < size; rank++)
            others.emplace_back(member, rank);
        member(0);
        for (std::thread& thread : others)
            thread.join();
    }

private:
    struct Free {
        void operator()(void* block) const {
            ::operator delete(block, std::align_val_t(64));
        }
    };
    const int teamSize;
    std::vector<std::unique_ptr<void, Free>> blocks;
};

} // namespace diffpair::cuda
