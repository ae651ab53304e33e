#!/bin/sh
# Is everything here that DiffPair's build cannot install by itself? Says in one sentence what is not, and exits with 1.
#   PYTHON   interpreter that makes the virtual environment (python3)
#   CXX      C++ compiler (g++)
PYTHON=${PYTHON:-python3}
CXX=${CXX:-g++}

stop() {
    echo "DiffPair cannot be built: $1" >&2
    exit 1
}

command -v "${CXX%% *}" >/dev/null 2>&1 ||
    stop "the C++ compiler $CXX was not found; install g++ 11 or newer (Debian package: g++)."
version=$($CXX -dumpfullversion -dumpversion 2>/dev/null)
# Versions of other compilers count differently, and to choose one is the user's own decision.
if $CXX --version 2>/dev/null | grep -q 'Free Software Foundation' && [ "${version%%.*}" -lt 11 ]; then
    stop "$CXX is version $version, but 11 or newer is needed (Debian package: g++)."
fi

command -v "${PYTHON%% *}" >/dev/null 2>&1 ||
    stop "the Python interpreter $PYTHON was not found; install Python 3.11 or newer (Debian package: python3)."
version=$($PYTHON -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    stop "the Python interpreter $PYTHON does not run; install Python 3.11 or newer (Debian package: python3)."
$PYTHON -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$PYTHON is Python $version, but 3.11 or newer is needed (Debian package: python3; choose one with make PYTHON=...)."
$PYTHON -c 'import venv, ensurepip' 2>/dev/null ||
    stop "Python $version has no venv module; install it (Debian package: python3-venv)."
header=$($PYTHON -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
[ -f "$header" ] ||
    stop "Python $version has no headers ($header is missing); install them (Debian package: python3-dev)."
