# `make demo` and `make test` do all of their own set-up: environment in .venv, pinned packages, build.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# One per core; each runs its simulations on one thread, see tests/conftest.py.
TEST_PROCESSES ?= auto

# JAX MD, which benchmarks compare with, in an environment of its own: torch and jax-md want different packages.
PEERS := .venv-peers

# How this Python is called in the name of a wheel.
WHEEL_PYTHON = $(shell $(BIN)/python -c 'import sys; print("cp%d%d" % sys.version_info[:2])')

# Stamps: the environment holds what constraints.txt says; the package is built from the present sources.
ENVIRONMENT := $(VENV)/.diffpair-environment
BUILT := python/diffpair/lib/.built
COMPILED_FROM := setup.py pyproject.toml CMakeLists.txt python/diffpair/_version.py $(shell find cmake cpp plugin -type f -not -name '.*' 2>/dev/null)
CXX_FILES = $(shell find cpp plugin tests examples -name '*.h' -o -name '*.cpp' -o -name '*.inl' -o -name '*.cu')

.PHONY: build demo test test-gpu cuda-compile clang aarch64 sanitize fuzz docs peers wheel sdist test-wheel lint format clean distclean check
.DELETE_ON_ERROR:

build: $(BUILT)

demo: $(BUILT)
	$(BIN)/diffpair fit examples/water/water.yaml --out demo-out
	$(BIN)/python examples/water/production.py $(DEMO_OUT)

test: lint $(BUILT)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)

# All tests of the forces and of the operators (where torch has CUDA), and their benchmarks, on a machine with a GPU;
# for AMD's: GPU_PLATFORM=HIP OPENMM_GPU=openmm-hip-6
GPU_PLATFORM ?= CUDA
OPENMM_GPU ?= openmm-cuda-13
test-gpu: $(BUILT)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt '$(OPENMM_GPU)==8.6.*'
	DIFFPAIR_TEST_DEVICE=$(GPU_PLATFORM) $(BIN)/python -m pytest tests/plugin $(PYTEST_ARGS)
	$(BIN)/python benchmarks/production.py --cases gpu
	DIFFPAIR_TEST_DEVICE=$(GPU_PLATFORM) $(BIN)/python -m pytest tests/core $(PYTEST_ARGS)
	$(BIN)/python benchmarks/gradient.py --cases gpu

# The operators' kernels, with every warning an error; needs nvcc, but neither a GPU nor a torch that has CUDA.
NVCC ?= nvcc
cuda-compile:
	@mkdir -p build
	@for source in cpp/cuda/*.cu; do \
		echo "$(NVCC) $$source"; \
		$(NVCC) -std=c++20 -O3 -arch=sm_80 -Werror all-warnings -Xcompiler -Wall,-Wextra -Icpp/include -Icpp/src -Icpp/cuda \
			-c $$source -o build/cuda-compile.o || exit 1; \
	done

# A second compiler, with every warning an error: the core, the plugin without torch and SWIG, and the core's C++ tests.
CLANG ?= clang++
CMAKE := PATH="$(abspath $(BIN)):$$PATH" cmake
clang: $(ENVIRONMENT)
	$(CMAKE) -S . -B build/clang -G Ninja --log-level=NOTICE -DCMAKE_CXX_COMPILER=$(CLANG) -DCMAKE_CXX_FLAGS=-Werror \
		-DDIFFPAIR_BUILD_TESTS=ON -DTORCH_ROOT= -DPython3_EXECUTABLE=$(abspath $(BIN))/python
	$(CMAKE) --build build/clang --target tests/cpp/all diffpair_plugin_test diffpair_openmm_reference diffpair_openmm_cpu \
		diffpair_openmm_opencl diffpair_lammps
	$(BIN)/ctest --test-dir build/clang -j2 --output-on-failure

# The core and its C++ tests for 64-bit ARM, whose loops are the portable ones, compiled here and run under qemu.
ARM_CXX := aarch64-linux-gnu-g++
ARM_QEMU := $(shell command -v qemu-aarch64 || command -v qemu-aarch64-static)
aarch64: $(ENVIRONMENT)
	@command -v $(ARM_CXX) >/dev/null || \
		{ echo "The compiler $(ARM_CXX) was not found; install it (Debian package: g++-aarch64-linux-gnu)." >&2; exit 1; }
	$(CMAKE) -S tests/cpp -B build/aarch64 -G Ninja --log-level=NOTICE -DCMAKE_TOOLCHAIN_FILE=$(abspath cmake/aarch64-linux.cmake) \
		-DCMAKE_CXX_FLAGS=-Werror
	$(CMAKE) --build build/aarch64
	@[ -n "$(ARM_QEMU)" ] || \
		{ echo "It compiles. To run the tests qemu is missing; install it (Debian package: qemu-user-static)." >&2; exit 1; }
	$(BIN)/ctest --test-dir build/aarch64 -j2 --output-on-failure

# The core, the operators and the plugin under the sanitizers of memory and undefined behaviour, and then of threads; one of them
# with SANITIZERS=memory or SANITIZERS=threads.
SANITIZERS ?= memory threads
sanitize: $(ENVIRONMENT)
	tools/sanitize.sh $(VENV) $(SANITIZERS)

# The pages of docs/ and the reference of the Python classes as HTML in build/docs. A warning is an error, here and in `make test`.
docs: $(BUILT)
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

# Every parser in turn, for so many seconds, with inputs that follow coverage where atheris installs and random ones elsewhere.
# What fails is left in build/fuzz.
SECONDS ?= 60
SEED ?= 0
PARSERS ?= config curve potential force checkpoint module
fuzz: $(BUILT)
	-$(BIN)/python -m pip install --disable-pip-version-check --quiet 'atheris==3.*'
	@for parser in $(PARSERS); do $(BIN)/python tests/fuzz/fuzz.py $$parser --seconds $(SECONDS) --seed $(SEED) || exit 1; done

# dist/: a wheel for this Python, with the tag of the oldest Linux it runs on, and the sources with all tests.
wheel: $(BUILT)
	rm -rf build/wheel dist/diffpair-*-$(WHEEL_PYTHON)-*.whl
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-build-isolation --no-deps --no-index -w build/wheel .
	$(BIN)/python tools/repair_wheel.py build/wheel/diffpair-*.whl dist

sdist: $(ENVIRONMENT)
	$(BIN)/python -m build --no-isolation --sdist --outdir dist

# The wheel as users have it, in two environments of its own: without torch and compiler, the tests of production; with [learn], a fit.
# tests/packaging/test_wheel.py checks what needs no packages to be installed, and `make test` runs that.
INSTALL_WHEEL = -m pip install --disable-pip-version-check --quiet -c constraints.txt
test-wheel: wheel
	rm -rf build/wheel-environments
	$(BIN)/python -m venv build/wheel-environments/production
	build/wheel-environments/production/bin/python $(INSTALL_WHEEL) dist/diffpair-*-$(WHEEL_PYTHON)-*.whl
	build/wheel-environments/production/bin/python -m pip list --disable-pip-version-check
	build/wheel-environments/production/bin/python $(INSTALL_WHEEL) pytest pytest-rerunfailures pytest-timeout pytest-xdist
	build/wheel-environments/production/bin/python tools/try_wheel.py
	$(BIN)/python -m venv build/wheel-environments/learn
	build/wheel-environments/learn/bin/python $(INSTALL_WHEEL) "$$(ls $(CURDIR)/dist/diffpair-*-$(WHEEL_PYTHON)-*.whl)[learn]"
	build/wheel-environments/learn/bin/python tools/try_wheel.py --learn

lint: $(ENVIRONMENT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)

format: $(ENVIRONMENT)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CXX_FILES)

# Optional: nothing but benchmarks and the tests against JAX MD uses it.
peers: $(PEERS)/.diffpair-peers

$(PEERS)/.diffpair-peers: constraints-peers.txt | check
	@$(PEERS)/bin/python -c '' 2>/dev/null || { rm -rf $(PEERS); $(PYTHON) -m venv $(PEERS); }
	@echo "Installing the packages of constraints-peers.txt into $(PEERS): some minutes ..."
	$(PEERS)/bin/python -m pip install --disable-pip-version-check --quiet -r constraints-peers.txt
	@touch $@

# Order-only: checked on every call, but no reason to install anything again.
check:
	@PYTHON="$(PYTHON)" CXX="$(CXX)" tools/check_prerequisites.sh

$(ENVIRONMENT): constraints.txt | check
	@$(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "Installing the packages of constraints.txt into $(VENV): some minutes where they have to be downloaded ..."
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r constraints.txt
	@touch $@

$(BUILT): $(COMPILED_FROM) $(ENVIRONMENT) | check
	@echo "Compiling what changed: about three minutes on two cores for everything ..."
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps -e .
	@touch $@

clean:
	rm -rf build dist demo-out simulation-out python/diffpair/lib python/diffpair/include python/diffpair/_openmm_swig*.so \
		python/diffpair/_openmm_forces.py python/diffpair/_build_info.py python/diffpair.egg-info

distclean: clean
	rm -rf $(VENV) $(PEERS)
