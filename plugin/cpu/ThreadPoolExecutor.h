#pragma once
#include "diffpair/Executor.h"
#include <atomic>
#include <exception>
#include <mutex>
#include <openmm/internal/ThreadPool.h>

namespace DiffPair {

/** Runs the core's tasks on the threads that OpenMM's CPU platform has. */
class ThreadPoolExecutor : public diffpair::Executor {
public:
    explicit ThreadPoolExecutor(OpenMM::ThreadPool& pool) : pool(pool) {
    }
    int numThreads() const override {
        return pool.getNumThreads();
    }

protected:
    void runTasks(int numTasks, const std::function<void(int)>& task) override {
        std::atomic<int> next(0);
        std::exception_ptr failure;
        std::mutex lock;
        pool.execute([&](OpenMM::ThreadPool&, int) {
            try {
                for (int i = next++; i < numTasks; i = next++)
                    task(i);
            } catch (...) { // must not leave the worker thread
                std::lock_guard<std::mutex> guard(lock);
                failure = std::current_exception();
            }
        });
        pool.waitForThreads();
        if (failure)
            std::rethrow_exception(failure);
    }

private:
    OpenMM::ThreadPool& pool;
};

} // namespace DiffPair
