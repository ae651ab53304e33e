#pragma once
#include <functional>

namespace diffpair {

/**
 * Runs numbered tasks in parallel. The core owns no threads: whoever calls it passes its own
 * (OpenMM's ThreadPool in plugin/, at::parallel_for in cpp/torch/).
 */
class Executor {
public:
    virtual ~Executor() = default;
    virtual int numThreads() const = 0;
    /** Call task(0) .. task(numTasks-1), each once, in any order, and return when all are done. */
    template <class Task> void run(int numTasks, const Task& task) {
        runTasks(numTasks, std::cref(task)); // a reference fits into the function object: no allocation per step
    }

protected:
    virtual void runTasks(int numTasks, const std::function<void(int)>& task) = 0;
};

class SerialExecutor : public Executor {
public:
    int numThreads() const override {
        return 1;
    }

protected:
    void runTasks(int numTasks, const std::function<void(int)>& task) override {
        for (int i = 0; i < numTasks; i++)
            task(i);
    }
};

} // namespace diffpair
