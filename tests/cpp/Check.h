#pragma once
#include "diffpair/Executor.h"
#include <cstdio>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace diffpair::test {

inline void require(bool holds, const std::string& what) {
    if (!holds)
        throw std::runtime_error(what);
}

/** Fails, with `where`, unless the numbers are as close as this; not a number is never close. */
inline void requireClose(double found, double expected, double tolerance, const std::string& what, const std::string& where) {
    const double deviation = found > expected ? found - expected : expected - found;
    if (deviation <= tolerance)
        return;
    std::ostringstream message;
    message.precision(17);
    message << where << ": " << what << " is " << found << ", not " << expected << " +- " << tolerance;
    throw std::runtime_error(message.str());
}

/** Fails unless the action throws an Error whose sentence holds these words. */
template <class Error, class Action> void requireRefusal(const std::string& words, const Action& action) {
    try {
        action();
    } catch (const Error& error) {
        require(std::string(error.what()).find(words) != std::string::npos,
                "'" + std::string(error.what()) + "' lacks '" + words + "'");
        return;
    }
    throw std::runtime_error("not refused: " + words);
}

/** Tasks on threads that start with each batch: slow, but any race shows. */
class ThreadExecutor : public Executor {
public:
    explicit ThreadExecutor(int threads) : threads(threads) {
    }
    int numThreads() const override {
        return threads;
    }

protected:
    void runTasks(int numTasks, const std::function<void(int)>& task) override {
        std::vector<std::exception_ptr> failures(threads);
        const auto work = [&](int thread) {
            try {
                for (int k = thread; k < numTasks; k += threads)
                    task(k);
            } catch (...) {
                failures[thread] = std::current_exception();
            }
        };
        std::vector<std::thread> others;
        for (int thread = 1; thread < threads; thread++)
            others.emplace_back(work, thread);
        work(0);
        for (std::thread& other : others)
            other.join();
        for (const std::exception_ptr& failure : failures)
            if (failure)
                std::rethrow_exception(failure);
    }

private:
    const int threads;
};

/** What main returns: 0, 1 with the sentence of what failed, 77 where DIFFPAIR_ISA is not for this processor. */
template <class Tests> int run(const Tests& tests) {
    try {
        tests();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "failed: %s\n", failure.what());
        return std::strstr(failure.what(), "this processor cannot run") ? 77 : 1;
    }
    std::puts("all right");
    return 0;
}

} // namespace diffpair::test
