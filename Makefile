# `make demo` and `make test` do all of their own set-up: environment in .venv, pinned packages, build.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

# Stamps: the environment holds what constraints.txt says; the package is built from the present sources.
ENVIRONMENT := $(VENV)/.diffpair-environment
BUILT := python/diffpair/lib/.built
COMPILED_FROM := setup.py pyproject.toml CMakeLists.txt $(shell find cmake cpp plugin -type f -not -name '.*' 2>/dev/null)
CXX_FILES = $(shell find cpp plugin tests -name '*.h' -o -name '*.cpp' -o -name '*.inl' -o -name '*.cu')

.PHONY: build demo test lint format clean distclean check
.DELETE_ON_ERROR:

build: $(BUILT)

demo: $(BUILT)
	$(BIN)/diffpair fit examples/water/water.yaml --out demo-out
	$(BIN)/python examples/water/production.py

test: lint $(BUILT)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(ENVIRONMENT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)

format: $(ENVIRONMENT)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CXX_FILES)

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
	rm -rf build demo-out python/diffpair/lib python/diffpair/_openmm_swig*.so python/diffpair/_openmm_forces.py \
		python/diffpair/_build_info.py python/diffpair.egg-info

distclean: clean
	rm -rf $(VENV)
