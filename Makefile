# Two commands do all the set-up on a machine that has Python, pip and make: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo

.PHONY: demo test bench journeys properties faults screenshots docs lock clean

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install -qq --no-build-isolation --no-deps --editable .
	touch $@

demo: $(VENV)/installed
	$(BIN)/lemnis demo --dir $(DEMO)

test: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --ignore tests/faults -m "not slow"

# What a figure is compared with is installed apart, one environment a peer: they ask for other versions than we do.
PEERS := $(patsubst tests/bench/peers/%.txt,build/peers/%/installed,$(wildcard tests/bench/peers/*.txt))

build/peers/%/installed: tests/bench/peers/%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --requirement $<
	touch $@

bench: $(VENV)/installed $(PEERS)
	@for script in tests/bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

journeys: $(VENV)/installed
	$(BIN)/python -m pytest --ignore tests/faults -m slow

properties: $(VENV)/installed
	$(BIN)/python -m pytest --ignore tests/faults -m hypothesis --hypothesis-profile search

faults: $(VENV)/installed
	$(BIN)/python -m pytest tests/faults

screenshots: $(VENV)/installed
	$(BIN)/python tests/journeys/screenshots.py
	$(BIN)/python tests/readme.py

docs: $(VENV)/installed
	$(BIN)/python tests/readme.py

lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --generate-hashes --extra dask --extra demo --extra s3 --extra sftp --group dev \
		--no-header --no-annotate --no-emit-index-url --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build
