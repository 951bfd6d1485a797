# What people type. Each target says what it does and stops at the first error.
#   make            release build into build/release (bin/, plugins/)
#   make demo       two syncs from the mock API into SQLite, with reports, state and rows
#   make demo-server  a server: schedules, rows pushed from three languages, metrics, an alert
#   make test       every test: release tree, then ASan+UBSan and fuzz corpus without gRPC
#   make test-asan  every test under ASan+UBSan
#   make faults     every fault suite with the figures of a release; SUITES=K1,C1 for some
#   make bench      speed against a C loop; ROWS=100000 for a short run
#   make lint       clang-format, clang-tidy, the tidy rules (changes nothing)
#   make format     clang-format in place
#   make package    build/package/*.deb: programs, connectors, unit, manual, completions
#   make clean      removes build/
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.PHONY: build demo demo-server test test-asan faults bench lint format package clean

JOBS ?= $(shell nproc)
ROWS ?= 1000000
FUZZ_SECONDS ?= 5

# $(call tree,PRESET): configures and builds one tree.
define tree
	@echo "== build: $(1) tree (build/$(1))"
	@mkdir -p build
	@cmake --preset $(1) >build/configure-$(1).log 2>&1 || \
	  { cat build/configure-$(1).log; exit 1; }
	@cmake --build --preset $(1)
endef

# $(call tests,PRESET): runs the tests of one tree.
define tests
	@echo "== tests of the $(1) tree"
	@ctest --preset $(1) -j $(JOBS)
endef

build:
	@.ci/prepare build
	$(call tree,release)

demo:
	@.ci/prepare build test python
	$(call tree,release)
	@build/venv/bin/python tests/end_to_end/demo/demo.py build/release/bin build/venv build/demo

demo-server:
	@.ci/prepare build test python clients
	$(call tree,release)
	@build/venv/bin/python tests/end_to_end/demo/demo_server.py . build/demo

# The release tree's tests come last, so that their closing line is the last one.
test:
	@.ci/prepare build test package python clients
	$(call tree,release)
	$(call tree,asan)
	$(call tests,asan)
	$(call tree,fuzz)
	@.ci/fuzz $(FUZZ_SECONDS)
	$(call tests,release)

test-asan:
	@.ci/prepare build test package python clients
	$(call tree,debug)
	$(call tests,debug)

faults:
	@.ci/prepare build test python
	$(call tree,release)
	@python3 tests/faults/faults.py build/release

bench:
	@.ci/prepare build test python
	$(call tree,release)
	@cmake --build --preset release --target bench_programs
	@python3 tests/bench/bench.py build/release --rows $(ROWS)

lint:
	@.ci/prepare build test lint
	$(call tree,release)
	@.ci/lint

package:
	@.ci/prepare build package
	$(call tree,release)
	@rm -rf build/package
	@cpack --config build/release/CPackConfig.cmake -G DEB -B build/package >build/package.log 2>&1 || \
	  { cat build/package.log; exit 1; }
	@rm -rf build/package/_CPack_Packages
	@ls -l build/package/*.deb

format:
	@.ci/prepare lint
	@.ci/lint --format

clean:
	@echo "== removing build/"
	@rm -rf build
