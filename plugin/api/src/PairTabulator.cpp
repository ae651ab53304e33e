#include "diffpair/openmm/PairTabulator.h"
#include <dlfcn.h>
#include <mutex>
#include <openmm/OpenMMException.h>

using OpenMM::OpenMMException;
using std::string;

namespace DiffPairPlugin {

namespace {

PairTabulator::Factory registered = nullptr;

/** Path of the tabulator's library, which lies beside this one and is called like it, with "_torch" before the ending. */
string tabulatorLibrary() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&tabulatorLibrary), &info) == 0)
        throw OpenMMException("TorchPairForce: cannot find out which folder DiffPair's libraries are in");
    string path = info.dli_fname;
    return path.insert(path.rfind('.'), "_torch");
}

void openTabulatorLibrary() {
    // RTLD_NOW: with another version of PyTorch a missing symbol must be an exception here, not the end of the process later.
    void* library = dlopen(tabulatorLibrary().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* reason = dlerror();
        throw OpenMMException("TorchPairForce: tabulating the module needs PyTorch, install it with: pip install 'torch==2.13.*' "
                              "(and build DiffPair with it) (" +
                              string(reason ? reason : "unknown reason") + ")");
    }
    auto initialize = reinterpret_cast<void (*)()>(dlsym(library, "registerKernelFactories"));
    if (initialize)
        initialize();
    if (!registered)
        throw OpenMMException("TorchPairForce: " + tabulatorLibrary() + " is not DiffPair's tabulator");
}

} // namespace

PairTabulator::~PairTabulator() = default;

void PairTabulator::registerFactory(Factory factory) {
    registered = factory;
}

std::unique_ptr<PairTabulator> PairTabulator::create(const string& module, int numPairs) {
    static std::mutex opening;
    {
        std::lock_guard<std::mutex> lock(opening);
        if (!registered)
            openTabulatorLibrary();
    }
    return registered(module, numPairs);
}

} // namespace DiffPairPlugin
