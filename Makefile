# Two commands do all the set-up on a machine that has Python, pip and make: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo

# Tests and benches start thousands of processes: what one of them compiled, the next one loads.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo cuda test check suite bench journeys properties faults soak screenshots docs lock clean

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install -qq --no-build-isolation --no-deps --editable .
	touch $@

demo: $(VENV)/installed
	$(BIN)/lemnis demo --dir $(DEMO)

# LightGBM built with CUDA from its locked source, in place of the wheel (which has OpenCL): --device cuda then works.
# Needs a C++ compiler and the CUDA toolkit (nvcc, 11.8 or later); NCCL, which LightGBM links, comes from PyPI.
# In the environment: pip hands --config-settings to no package of a requirements file, and the hashes stand in one.
CUDA_ARCH ?= native
CUDA_DEFINE = USE_CUDA=ON;BUILD_WITH_SHARED_NCCL=ON;CMAKE_CUDA_ARCHITECTURES=$(CUDA_ARCH)

cuda: $(VENV)/installed
	@command -v nvcc >/dev/null || { echo "make cuda needs nvcc of the CUDA toolkit on the PATH"; exit 1; }
	mkdir -p build
	sed -n '/^lightgbm==/,/[^\\]$$/p' requirements.lock > build/lightgbm.txt
	$(BIN)/python -m pip install --quiet nvidia-nccl-cu$$(nvcc --version | sed -n 's/.*release \([0-9]*\).*/\1/p')
	nccl=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nvidia/nccl && \
	ln -sf libnccl.so.2 $$nccl/lib/libnccl.so && \
	CPATH=$$nccl/include NCCL_ROOT=$$nccl SKBUILD_CMAKE_DEFINE="$(CUDA_DEFINE);CMAKE_INSTALL_RPATH=$$nccl/lib" \
		$(BIN)/python -m pip install --require-hashes --no-deps --force-reinstall --no-cache-dir \
		--no-binary lightgbm --requirement build/lightgbm.txt
	$(BIN)/lemnis doctor

# Pyright uses one core: the tests begin on the others while it reads.
test: $(VENV)/installed
	$(MAKE) --jobs=2 check suite

check: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

suite: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --ignore tests/faults -m "not slow"

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

# Half an hour of use by keys: memory, threads, descriptors and answers must stay as they were (LEMNIS_SOAK_MINUTES=5: for less).
soak: $(VENV)/installed
	$(BIN)/python tests/soak/soak.py

screenshots: $(VENV)/installed
	$(BIN)/python tests/journeys/screenshots.py
	$(BIN)/python tests/journeys/recording.py
	$(BIN)/python tests/readme.py

docs: $(VENV)/installed
	$(BIN)/python tests/readme.py
	$(BIN)/python tests/catalogue.py

lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --generate-hashes --extra dask --extra demo --extra mlflow --extra onnx --extra s3 --extra sftp --extra web --group dev \
		--no-header --no-annotate --no-emit-index-url --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build
