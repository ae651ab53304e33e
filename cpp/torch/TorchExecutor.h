#pragma once
#include "diffpair/Executor.h"
#include <ATen/Parallel.h>

namespace diffpair {

/** The core's tasks on torch's threads. Without -fopenmp at::parallel_for is silently serial: see CMakeLists.txt. */
class TorchExecutor : public Executor {
public:
    int numThreads() const override {
        return threads;
    }

protected:
    void runTasks(int numTasks, const std::function<void(int)>& task) override {
        at::parallel_for(0, numTasks, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++)
                task(static_cast<int>(i));
        });
    }

private:
    // Asked once: inside a task torch would answer otherwise.
    const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
};

} // namespace diffpair
