# A thin front for CMake: every target sets up what it needs.
#
#   make            build the release binary: build/release/moonbook
#   make demo       stock runbooks in a simulated AWS
#   make test       every test
#   make bench      timings, as ratios side by side
#   make conformance   real clients against the simulator; CORPUS=DIR: public protocol ... suites too
#   make compare    does each deploy tool tell the truth? docs/comparison.md
#   make install    PREFIX=/usr/local, DESTDIR honoured

PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: all build setup venv demo test sanitize fuzz bench conformance compare install format check-format docs clean

all: build

setup:
	@.ci/setup.sh

venv: setup
	@.ci/venv.sh

build: setup
	@cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build --preset release -j $(JOBS) --target moonbook moonbook_command

demo: build
	@examples/demo/demo.sh build/release/moonbook

test: setup venv
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev -j $(JOBS)
	@tests/run.sh build/dev

sanitize: setup venv
	@cmake --preset sanitize $(SANITIZE_FLAGS) >/dev/null
	@cmake --build --preset sanitize -j $(JOBS)
	@tests/run.sh build/sanitize

# SECONDS for each target; what libFuzzer finds is left in build/fuzz.
SECONDS ?= 600
fuzz: setup
	@cmake --preset sanitize -B build/fuzz -DMOONBOOK_FUZZ=ON -DCMAKE_C_COMPILER=clang \
	  -DCMAKE_CXX_COMPILER=clang++ >/dev/null
	@cmake --build build/fuzz -j $(JOBS) --target fuzz_requests fuzz_responses fuzz_texts
	@for target in requests responses texts; do \
	  mkdir -p build/fuzz/$$target && (cd build/fuzz && tests/fuzz/fuzz_$$target \
	    -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=10 -close_fd_mask=3 $$target \
	    $(CURDIR)/tests/fuzz/corpus/$$target 2>&1 | tail -3) || exit 1; \
	done

bench: build venv
	@tests/bench/run.sh build/release

# Real clients against the simulator; with CORPUS=DIR also the public suites in that folder.
conformance: export MOONBOOK_CONFORMANCE = 1
conformance: build
	@if [ -n "$(CORPUS)" ]; then \
	  cmake --build --preset release -j $(JOBS) --target mbconf && \
	  tests/conformance/run.sh "$(CORPUS)" build/release/tests/conformance/mbconf; \
	fi
	@tests/conformance/clients/run.sh build/release/moonbook build/clients

# Other deploy tools and moonbook through the same endings, into docs/comparison.md. OPTIONS: see tests/compare/run.sh.
compare: build
	@cmake --build --preset release -j $(JOBS) --target client_clock
	@tests/compare/run.sh build/release $(OPTIONS)

install: build
	@cmake --install build/release --prefix "$(DESTDIR)$(PREFIX)"

format:
	@find src include tests examples -name '*.[ch]' | xargs clang-format -i

check-format:
	@find src include tests examples -name '*.[ch]' | xargs clang-format --dry-run -Werror

docs: build
	@docs/generate.sh build/release/moonbook

clean:
	@rm -rf build
