// Many short batches of tasks of changing number: each task runs once, in its own batch, on whatever thread.
#include "ThreadTeam.h"
#include <cstdio>
#include <stdexcept>
#include <vector>

int main() {
    OpenMM::ThreadPool pool(4);
    long wrong = 0, caught = 0;
    for (int call = 0; call < 400; call++) {
        DiffPairPlugin::ThreadTeam::run(pool, [&](diffpair::Executor& executor) {
            for (int batch = 0; batch < 400; batch++) {
                const int size = (7 * call + 5 * batch) % 180;
                std::vector<int> runs(size, 0); // not atomic: a task that runs twice, or late, is a race
                executor.run(size, [&](int task) {
                    for (volatile int k = 0; k < 20 * (task % 7);) // long enough for the others to take some
                        k = k + 1;
                    runs[task] += 1 + batch;
                });
                for (int n : runs)
                    wrong += n != 1 + batch;
            }
        });
        try {
            DiffPairPlugin::ThreadTeam::run(pool, [&](diffpair::Executor& executor) {
                executor.run(5, [&](int task) {
                    if (task == call % 5)
                        throw std::domain_error("task");
                });
            });
        } catch (const std::domain_error&) {
            caught++;
        }
    }
    if (wrong || caught != 400)
        return std::printf("%ld tasks ran wrongly, %ld of 400 errors passed on\n", wrong, caught), 1;
    std::puts("all right");
    return 0;
}
