#pragma once
#include "diffpair/Executor.h"
#include <atomic>
#include <exception>
#include <mutex>
#include <openmm/internal/ThreadPool.h>
#include <thread>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace DiffPair {

/**
 * The threads of OpenMM's CPU platform as the core's executor. Waking them costs as much as the forces of a few hundred
 * atoms, and a force evaluation hands out several batches of tasks. So they are woken once: the first one leads, and the
 * others wait for its batches awake, giving way to other programs when it takes longer.
 */
class ThreadTeam : public diffpair::Executor {
public:
    /** Calls lead(executor) on one of the pool's threads, with the others at its service; passes on what it throws. */
    template <class Lead> static void run(OpenMM::ThreadPool& pool, const Lead& lead) {
        if (pool.getNumThreads() == 1) {
            diffpair::SerialExecutor serial;
            lead(serial);
            return;
        }
        ThreadTeam team(pool.getNumThreads());
        pool.execute([&](OpenMM::ThreadPool&, int thread) {
            if (thread > 0) {
                team.serve();
                return;
            }
            try {
                lead(team);
            } catch (...) {
                team.failure = std::current_exception();
            }
            team.over.store(true, std::memory_order_release);
        });
        pool.waitForThreads();
        if (team.failure)
            std::rethrow_exception(team.failure);
    }
    int numThreads() const override {
        return threads;
    }

protected:
    void runTasks(int newNumTasks, const std::function<void(int)>& newTask) override {
        numTasks = newNumTasks;
        task = &newTask;
        nextTask.store(0, std::memory_order_relaxed);
        served.store(0, std::memory_order_relaxed);
        batch.fetch_add(1, std::memory_order_release);
        work();
        waitUntil([&] { return served.load(std::memory_order_acquire) == threads - 1; });
        if (failure)
            std::rethrow_exception(std::exchange(failure, nullptr));
    }

private:
    explicit ThreadTeam(int threads) : threads(threads) {
    }
    void serve() {
        for (long seen = 0;; seen++) {
            // The leader starts no batch before everyone has served the last one, so none can be missed.
            waitUntil([&] { return batch.load(std::memory_order_acquire) > seen || over.load(std::memory_order_acquire); });
            if (batch.load(std::memory_order_acquire) == seen)
                return;
            work();
            served.fetch_add(1, std::memory_order_release);
        }
    }
    void work() {
        try {
            for (int i = nextTask++; i < numTasks; i = nextTask++)
                (*task)(i);
        } catch (...) { // must not leave the thread
            std::lock_guard<std::mutex> guard(lock);
            failure = std::current_exception();
        }
    }
    template <class Condition> static void waitUntil(const Condition& condition) {
        for (int spins = 0; !condition(); spins++) {
            if (spins > 2000)
                std::this_thread::yield();
#if defined(__x86_64__)
            else
                _mm_pause();
#endif
        }
    }
    const int threads;
    int numTasks = 0;
    const std::function<void(int)>* task = nullptr;
    std::atomic<int> nextTask{0}, served{0};
    std::atomic<long> batch{0};
    std::atomic<bool> over{false};
    std::mutex lock;
    std::exception_ptr failure;
};

} // namespace DiffPair
