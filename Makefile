# `make help` lists the targets. Each installs and builds what it needs first.

PYTHON := .venv/bin/python
VENVS := .venv .venv-tflite-runtime
# Bazel takes the headers of this Python, also when setup.py runs in the environment of the old runtime.
export MCPRUNER_PYTHON := $(CURDIR)/$(PYTHON)
TEST_LIBRARIES := libmcpruner_faults.so libmcpruner_packer.so
CPP_SOURCES = $(shell git ls-files '*.c' '*.cc' '*.h')

.PHONY: help setup setup-aarch64 build build-aarch64 wheels install lint test test-cpp test-clang
.PHONY: test-asan test-tsan test-python test-long test-aarch64 count-aarch64 demo bench bench-peers roofline performance zoo fuzz fuzz-python campaign clean

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 15

setup: ## Install what is missing: Debian packages, .venv, .venv-tflite-runtime
	@tools/setup.sh

setup-aarch64: setup ## The same for aarch64: cross compiler, qemu, .venv-aarch64
	@tools/aarch64/setup.sh

build: setup ## Build all native code with Bazel and put the libraries beside the Python sources
	bazel build //...
	$(PYTHON) setup.py --quiet build_native
	@install -D -t out/testing $(TEST_LIBRARIES:%=out/bin/delegate/tflite/testing/%)

build-aarch64: setup-aarch64 ## Build the plugin for aarch64, out/aarch64/libmcpruner_delegate.so
	bazel build --config=aarch64 //delegate/tflite/plugin:libmcpruner_delegate.so.stripped
	@install -D -m 755 out/aarch64-bin/delegate/tflite/plugin/libmcpruner_delegate.so.stripped \
	  out/aarch64/libmcpruner_delegate.so
	@size="$$(stat -c %s out/aarch64/libmcpruner_delegate.so)"; echo "out/aarch64/libmcpruner_delegate.so: $$size bytes"

wheels: setup-aarch64 ## Wheels for x86-64 and aarch64, each with the manylinux tag that it keeps, in dist/
	rm -rf dist/unnamed
	for platform in x86_64 aarch64; do _PYTHON_HOST_PLATFORM=linux-$$platform $(PYTHON) -m pip wheel --quiet \
	  --disable-pip-version-check --no-deps --no-build-isolation -w dist/unnamed . || exit 1; done
	$(PYTHON) tools/name_wheels.py dist/unnamed dist

install: build $(VENVS:%=%/.install-stamp) ## Install the package, editable, into both environments

%/.install-stamp: pyproject.toml setup.py %/.setup-stamp
	$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Written by tools/setup.sh, which `setup` always runs.
$(VENVS:%=%/.setup-stamp): setup ;

lint: install ## Check format, style and size of the sources
	.venv/bin/clang-format --dry-run -Werror $(CPP_SOURCES)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PYTHON) tools/lint.py

test: lint test-cpp test-clang test-asan test-python test-aarch64 ## Everything: lint, C++ (also Clang, sanitizers), Python

test-cpp: build ## C++ tests
	bazel test //...

test-clang: build ## C++ tests, compiled by Clang with more warnings
	bazel test --config=clang --build_tests_only //...

test-asan: build ## C++ tests under Clang's address and undefined-behaviour sanitizers
	bazel test --config=asan --build_tests_only //...

# Those that are tagged so in their BUILD files.
test-tsan: build ## C++ tests of what runs on several threads under the thread sanitizer
	bazel test --config=tsan --build_tests_only --test_tag_filters=tsan //...

# Two processes, each with whole files of tests, in their order: module fixtures are made once.
test-python: install ## Python tests
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/aarch64

test-long: install ## Python tests of whole networks that take too long for `test`
	$(PYTHON) -m pytest --long tests/e2e/test_networks.py

# Where qemu or the packages cannot be had, the tests skip and say so.
test-aarch64: install ## The plugin for aarch64 under qemu: C++ tests, both TFLite runtimes
	-tools/aarch64/setup.sh
	$(PYTHON) -m pytest tests/aarch64

count-aarch64: install setup-aarch64 ## Count instructions on aarch64 beside XNNPACK
	PYTHONHASHSEED=0 $(PYTHON) tools/aarch64/count_table.py

demo: install ## Train, prune, convert and run a network, and time a large one
	$(PYTHON) examples/demo.py

bench: install ## Measure the networks against the dense runtime
	$(PYTHON) benchmarks/run.py

bench-peers: install .venv-peers/.setup-stamp ## Measure them against ONNX Runtime, OpenVINO, ncnn and MNN
	$(PYTHON) benchmarks/peers.py

roofline: install ## Draw each layer's speed against the machine's limits
	mkdir -p out/benchmarks
	$(PYTHON) -m mcpruner calibrate --output out/benchmarks/limits.json
	$(PYTHON) benchmarks/roofline.py --limits out/benchmarks/limits.json

performance: install .venv-peers/.setup-stamp ## Measure all of docs/performance.md, twice, and write its tables
	$(PYTHON) benchmarks/performance.py

zoo: install ## Prune, convert, check and time the networks of examples/zoo, and write docs/models.md
	$(PYTHON) benchmarks/zoo/make_zoo.py --calibrate --publish

.venv-peers/.setup-stamp: benchmarks/requirements-peers.txt
	$(PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

fuzz: setup ## Fuzz blobs, options, cache files, cost tables, the packer, plans, sparse tensors and whole graphs for FUZZ_SECONDS (300) under Clang's sanitizers
	bazel build --config=fuzz //delegate/fuzz:blob_fuzz //delegate/fuzz:cache_fuzz //delegate/fuzz:costs_fuzz \
	  //delegate/fuzz:graph_fuzz //delegate/fuzz:options_fuzz //delegate/fuzz:pack_fuzz \
	  //delegate/fuzz:plan_fuzz //delegate/fuzz:sparse_fuzz
	tools/fuzz.sh $(or $(FUZZ_SECONDS),300) "$$(bazel info --config=fuzz bazel-bin 2>/dev/null)/delegate/fuzz"

fuzz-python: install ## Break the graphs of small models for FUZZ_SECONDS (300) and let every Python reader try them
	$(PYTHON) tools/fuzz_python.py --seconds $(or $(FUZZ_SECONDS),300)

# Goes on behind the seeds that out/campaign has already; KIND=keras makes networks with Keras.
campaign: install ## Try random networks against TFLite for HOURS (1) on all cores; SEED=first seed, KIND=graph
	$(PYTHON) tests/campaign/campaign.py --opencl --hours $(or $(HOURS),1) --kind $(or $(KIND),graph) \
	  $(if $(SEED),--first-seed $(SEED))

clean: ## Remove what was built (the environments stay)
	bazel clean
	rm -rf build dist out converter/format/*_generated.py python/mcpruner/*.so *.egg-info $(VENVS:%=%/.install-stamp)
