#pragma once
#include <dlfcn.h>

namespace DiffPairPlugin {

/**
 * Releases Python's global interpreter lock while it exists, if this is a Python process and the thread holds the lock:
 * libtorch refuses to differentiate under it, and OpenMM's wrapper keeps it while a Context is created. Python is looked up at
 * run time, since the library also serves programs without it.
 */
class GilRelease {
public:
    GilRelease() {
        const auto isInitialized = find<int (*)()>("Py_IsInitialized");
        const auto holdsLock = find<int (*)()>("PyGILState_Check");
        const auto release = find<void* (*)()>("PyEval_SaveThread");
        if (isInitialized && holdsLock && release && isInitialized() && holdsLock())
            threadState = release();
    }
    ~GilRelease() {
        if (threadState)
            find<void (*)(void*)>("PyEval_RestoreThread")(threadState);
    }
    GilRelease(const GilRelease&) = delete;
    GilRelease& operator=(const GilRelease&) = delete;

private:
    template <class Function> static Function find(const char* name) {
        return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    }
    void* threadState = nullptr;
};

} // namespace DiffPairPlugin
