#pragma once
#include "diffpair/Executor.h"
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <openmm/internal/ThreadPool.h>
#include <thread>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace DiffPairPlugin {

/**
 * The threads of OpenMM's CPU platform as the core's executor. Waking them costs as much as the forces of a few hundred
 * atoms, and a force evaluation hands out several batches of tasks. So they are woken once, and wait for batches awake,
 * giving way to other programs when it takes longer. The calling thread leads and takes tasks itself from the start, while
 * the others wake up; one thread of the pool stays idle in return.
 */
class ThreadTeam : public diffpair::Executor {
public:
    /** Calls lead(executor), with the pool's threads at its service; passes on what it or a task throws. */
    template <class Lead> static void run(OpenMM::ThreadPool& pool, const Lead& lead) {
        if (pool.getNumThreads() == 1) {
            diffpair::SerialExecutor serial;
            lead(serial);
            return;
        }
        ThreadTeam team(pool.getNumThreads());
        pool.execute([&](OpenMM::ThreadPool&, int thread) {
            if (thread < team.threads - 1)
                team.serve();
        });
        std::exception_ptr failure;
        try {
            lead(team);
        } catch (...) { // the threads still look at the team
            failure = std::current_exception();
        }
        team.over.store(true, std::memory_order_release);
        pool.waitForThreads();
        if (failure)
            std::rethrow_exception(failure);
    }
    int numThreads() const override {
        return threads;
    }

protected:
    void runTasks(int numTasks, const std::function<void(int)>& newTask) override {
        task.store(&newTask, std::memory_order_relaxed);
        done.store(0, std::memory_order_relaxed);
        open.store((open.load(std::memory_order_relaxed) / batch + 1) * batch + numTasks, std::memory_order_release);
        while (takeTask()) {
        }
        waitUntil([&] { return done.load(std::memory_order_acquire) == numTasks; });
        if (failure)
            std::rethrow_exception(std::exchange(failure, nullptr));
    }

private:
    explicit ThreadTeam(int threads) : threads(threads) {
    }
    void serve() {
        while (!over.load(std::memory_order_acquire)) {
            if (!takeTask())
                waitUntil([&] { return hasTask() || over.load(std::memory_order_acquire); });
        }
    }
    bool hasTask() const {
        return open.load(std::memory_order_acquire) % batch > 0;
    }
    /**
     * Runs one task of the present batch; false if all are taken. Whoever counts `open` down has seen the batch that it
     * belongs to, which cannot end before this task is done.
     */
    bool takeTask() {
        uint64_t mine = open.load(std::memory_order_acquire);
        do {
            if (mine % batch == 0)
                return false;
        } while (!open.compare_exchange_weak(mine, mine - 1, std::memory_order_acq_rel));
        try {
            (*task.load(std::memory_order_relaxed))(static_cast<int>(mine % batch) - 1);
        } catch (...) { // must not leave the thread
            std::lock_guard<std::mutex> guard(lock);
            failure = std::current_exception();
        }
        done.fetch_add(1, std::memory_order_acq_rel);
        return true;
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
    static constexpr uint64_t batch = uint64_t(1) << 32;
    const int threads;
    std::atomic<const std::function<void(int)>*> task{nullptr};
    std::atomic<int> done{0};
    std::atomic<uint64_t> open{0}; // batch * its number + how many of its tasks nobody has taken; one number, so that both fit
    std::atomic<bool> over{false};
    std::mutex lock;
    std::exception_ptr failure;
};

} // namespace DiffPairPlugin
