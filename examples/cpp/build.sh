#!/bin/sh
# Compiles production.cpp against the installed packages and runs it: examples/cpp/build.sh [FOLDER] [STEPS]
# PYTHON is the interpreter that OpenMM and DiffPair are installed for.
set -eu
python=${PYTHON:-python3}
here=$(dirname "$0")
out=${1:-.}
diffpair=$($python -c 'import diffpair; print(diffpair.__path__[0])')
openmm=$($python -c 'import os, openmm.version as v; print(os.path.dirname(v.openmm_library_path))')

g++ -std=c++17 -O2 "$here/production.cpp" -o "$out/production" \
    -I"$diffpair/include" -I"$openmm/include" \
    "$diffpair/lib/libdiffpair_openmm.so" "$openmm/lib/libOpenMM.so" \
    -Wl,-rpath,"$diffpair/lib:$openmm/lib",--allow-shlib-undefined

$python -m diffpair export "$here/../scripts/potential.json" --format openmm --out "$out/potential.xml"
"$out/production" "$out/potential.xml" "$openmm/lib/plugins" "$diffpair/lib/plugins" ${2:-}
