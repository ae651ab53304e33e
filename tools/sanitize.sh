#!/bin/bash
# The C++ parts under sanitizers, which may report nothing: `make sanitize`.
#
#     tools/sanitize.sh VENV [memory] [threads]
#
# memory: AddressSanitizer and UndefinedBehaviorSanitizer; threads: ThreadSanitizer; both where none is named. First the core's
# tests in C++, then Contexts in threads, then tests of Python of the operators, segments and forces, with a copy of the package
# whose libraries are compiled so. Python, OpenMM and torch are as pip has them.
set -eo pipefail
venv=$(realpath -s "$1")
cd "$(dirname "$0")/.."
kinds=("${@:2}")
[ $# -gt 1 ] || kinds=(memory threads)
export PATH="$venv/bin:$PATH"
site_packages=$(echo "$venv"/lib/python3*/site-packages)

# All tests but those of programs that tests compile or start without the sanitizers' libraries, of the process's own memory, and some
# that are only long.
memory_tests=(tests/core tests/plugin --ignore=tests/core/test_cpp.py --ignore=tests/plugin/test_cpp.py
    -k "not (OpenCL or cuda_arithmetic or never_imports_torch or thousand or 20000 or liquid)")
# What runs in several threads; ThreadSanitizer keeps signals back.
threads_tests=(tests/core/test_{threads,segment,segment_bits,segment_sums,bridge,bonded_forces,integrators,pair_ops,smooth_rdf}.py
    tests/plugin/test_{threads,torch_force,update,parameter_derivatives,forces}.py
    -k "not (OpenCL or interrupt or thousand)")

library() { # the compiler's library of that name
    ${CXX:-g++} -print-file-name="$1"
}

configure() { # FOLDER SOURCES OPTIONS...
    cmake -S "$2" -B "$1" -G Ninja --log-level=NOTICE -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" "${@:3}"
}

run_core() { # KIND FLAGS
    configure "build/sanitize-core-$1" tests/cpp -DDIFFPAIR_SANITIZE="$2"
    cmake --build "build/sanitize-core-$1"
    ctest --test-dir "build/sanitize-core-$1" -j2 --output-on-failure
}

build_package() { # BUILD FLAGS; BUILD/package is then what Python imports
    # Without vptr, which compares types across libraries that hide theirs.
    configure "$1" . -DDIFFPAIR_BUILD_TESTS=ON -DPython3_EXECUTABLE="$venv/bin/python" \
        -DCMAKE_CXX_FLAGS="-fsanitize=$2 -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer"
    cmake --build "$1" --target diffpair_contexts_test diffpair_openmm_reference diffpair_openmm_cpu diffpair_openmm_swig \
        diffpair_openmm_torch diffpair_torch_ops
    local package="$1/package/diffpair"
    rm -rf "$1/package"
    mkdir -p "$1/package"
    cp -r python/diffpair "$package"
    rm -rf "$package"/{lib,include} "$package"/_openmm_*
    mkdir -p "$package/lib/plugins"
    cp "$1"/cpp/torch/*.so "$1"/plugin/{api,torch}/*.so "$package/lib"
    cp "$1"/plugin/{reference,cpu}/*.so "$package/lib/plugins"
    cp "$1"/plugin/swig/_openmm_{forces.py,swig*.so} "$package"
    python -c "from importlib.metadata import version
for name in ('openmm', 'torch'): print(f'{name.upper()}_VERSION = {version(name).split(\"+\")[0]!r}')" >"$package/_build_info.py"
}

run_contexts() { # BUILD
    "$1/tests/plugin/diffpair_contexts_test" "$site_packages/OpenMM.libs/lib/plugins" \
        "$1/plugin/reference/libdiffpair_openmm_reference.so" "$1/plugin/cpu/libdiffpair_openmm_cpu.so"
}

run_python() { # BUILD PRELOADED TESTS...
    # With Python's own allocator nobody would see where a block ends; reports go past pytest's capture.
    PYTHONPATH="$PWD/$1/package" PYTHONMALLOC=malloc LD_PRELOAD="$2" python -c 'if True:
        import sys, diffpair, pytest
        if not diffpair.__file__.startswith(sys.argv[1]):
            sys.exit(f"{diffpair.__file__} was imported, which is not compiled with sanitizers")
        sys.exit(pytest.main(sys.argv[2:]))' \
        "$PWD/$1/package" -q --capture=sys -p no:cacheprovider "${@:3}"
}

check_memory() {
    run_core memory address,undefined
    build_package build/sanitize-memory address,undefined
    # Python and OpenMM keep what they register until the process ends.
    export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
    run_contexts build/sanitize-memory
    run_python build/sanitize-memory "$(library libasan.so) $(library libubsan.so) $(library libstdc++.so)" \
        "${memory_tests[@]}"
}

check_threads() {
    local build=build/sanitize-threads gomp=("$site_packages"/torch/lib/libgomp*.so*)
    run_core threads thread
    build_package $build thread
    TSAN_OPTIONS=halt_on_error=1 run_contexts $build
    # torch's own libgomp, as ever, behind what tells of its threads. They wait without spinning, for machines that do more.
    ${CXX:-g++} -O1 -shared -fPIC tests/sanitize/openmp.cpp -o $build/libopenmp.so
    TSAN_OPTIONS="suppressions=$PWD/tests/sanitize/thread.supp" DIFFPAIR_TEST_THREADS=2 OMP_WAIT_POLICY=passive \
        run_python $build "$(library libtsan.so) $(library libstdc++.so) $PWD/$build/libopenmp.so ${gomp[0]}" "${threads_tests[@]}"
}

for kind in "${kinds[@]}"; do
    "check_$kind"
done
