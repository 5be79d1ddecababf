# The commands of this project. CI runs `make demo test firmware test-firmware`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo --quiet
HOST ?= 127.0.0.1
PORT ?= 2575
SECONDS ?= 60
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help demo test serve build wheel libmllp header install fmt lint tidy doc docs test-rust test-python \
	test-oldest test-vectors test-platforms test-package test-c miri examples test-examples test-bench \
	check-artefact check-thumb check-budgets \
	bench bench-servers firmware test-firmware sim sim-astm fuzz gateway test-engine test-cases test-keys bench-engine bench-messagefoundry \
	test-queued torture torture-sabotage test-torture build-engine engine-reference test-engine-python clean

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build build-engine gateway  ## Set everything up, run a feed from init to a repair, then the servers below it
	$(BIN)/python docs/run_tutorial.py
	$(BIN)/python engine/demo.py
	$(BIN)/python examples/demo.py

test: lint tidy doc docs test-rust test-oldest test-vectors test-python test-platforms test-package test-c miri test-examples test-bench check-artefact check-thumb check-budgets test-engine test-engine-python test-cases test-torture  ## Set everything up and run every test
	@echo "all tests passed"

serve: build  ## Start a server to play with: HOST=127.0.0.1 PORT=2575
	$(BIN)/fastmllp serve --host $(HOST) --port $(PORT)

# What the other commands need.

$(VENV)/.installed: bindings-python/requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/.docs-installed: docs/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/.engine-installed: engine/python/requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

build-engine: build $(VENV)/.engine-installed  ## Build the engine's Python package into .venv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet -m engine/python/Cargo.toml

build: $(VENV)/.installed  ## Build the Python package into .venv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet -m bindings-python/Cargo.toml

wheel: $(VENV)/.installed  ## Build the wheels and source distributions of both packages into dist/
	$(BIN)/maturin build --release --sdist --quiet -m bindings-python/Cargo.toml --out dist
	$(BIN)/maturin build --release --sdist --quiet -m engine/python/Cargo.toml --out dist

# A file, so that `sudo make install` builds nothing once it is there.
TARGET := $(or $(CARGO_TARGET_DIR),target)
LIBMLLP_SOURCES := Cargo.toml Cargo.lock bindings-c/build bindings-c/Cargo.toml $(foreach crate, \
	mllp-core hl7-peek ack-gen mllp-link bindings-c, $(shell find $(crate)/src -name '*.rs'))

$(TARGET)/c/libmllp.a: $(LIBMLLP_SOURCES)
	bindings-c/build

libmllp: $(TARGET)/c/libmllp.a  ## Build the C library: libmllp.a and libmllp.so in target/c

header:  ## Write bindings-c/include/mllp.h from the sources
	MLLP_WRITE_HEADER=1 cargo test --quiet -p mllp-c --test header

install: libmllp  ## Install the C library: PREFIX=/usr/local DESTDIR=
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" bindings-c/install

fmt: $(VENV)/.installed  ## Format the code
	cargo fmt --all
	$(BIN)/ruff format --quiet .

lint: build  ## Formatting, clippy, types, stubs against the binary
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	cd bindings-python && ../$(BIN)/mypy && ../$(BIN)/mypy tests/config/typed_options.py
	cd bindings-python && ../$(BIN)/python -m mypy.stubtest fastmllp._native

tidy: $(VENV)/.installed  ## The rooms and what they import, the lengths of files and functions, tests that wait for a time
	$(BIN)/python .ci/tidy
	$(BIN)/python -m pytest -q .ci/tidy

doc:  ## Build the documentation of the crates, without a warning
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --exclude fastmllp-python

docs: build $(VENV)/.docs-installed  ## Build the documentation site into target/docs, without a warning
	$(BIN)/sphinx-build -W --keep-going --quiet -d target/doctrees docs target/docs

# Each commit simulates lives of its own; without git it is the same lives every time.
COMMIT := $(shell git rev-parse HEAD 2>/dev/null)

test-rust:  ## The tests of the Rust crates
	cargo test --quiet --workspace --exclude fastmllp-python
	cargo test --quiet --release -p mllp-core --test exhaustive
	SIM_BASE=$(COMMIT) cargo test --quiet --release -p mllp-link --test simulation
	WALK=6 cargo test --quiet --release -p astm-core --test walk
	SIM_BASE=$(COMMIT) SIM_LIVES=20000 cargo test --quiet --release -p astm-core --test simulation

test-oldest: $(VENV)/.installed  ## Build with the oldest Rust and the oldest Python that are promised
	.ci/test-oldest

test-vectors: build  ## The vectors are what their models write
	$(BIN)/python vectors/gen/check.py

test-python: build  ## The tests of the Python package
	cd bindings-python && ../$(BIN)/python -m pytest -q

# The folder holds a sitecustomize.py, which every Python that starts there runs first.
test-platforms: build  ## The tests of the Python package without what Windows lacks
	cd bindings-python && PYTHONPATH=$(CURDIR)/bindings-python/tests/like_windows \
		../$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-package: build  ## Wheel and source distribution, each installed in a clean environment
	$(BIN)/python bindings-python/tests/package.py

miri:  ## The tests that call the C functions from Rust, under Miri
	.ci/miri

examples: libmllp build  ## Build the examples in C and Rust
	cargo build --quiet --release -p mllp-examples
	@mkdir -p target/c/examples
	for program in ack_server send peek; do \
		$(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror -O2 -Ibindings-c/include examples/c/$$program.c \
			target/c/libmllp.a -o target/c/examples/$$program || exit 1; \
	done

test-examples: examples  ## The examples in C, Rust and Python, against each other
	$(BIN)/python -m pytest -q --timeout 60 examples/tests

test-c: libmllp  ## The C library: vectors, misuse and layout in C, with sanitizers and valgrind, and installed
	$(PYTHON) bindings-c/tests/abi.py
	$(PYTHON) bindings-c/tests/run.py
	$(PYTHON) bindings-c/tests/install.py

$(VENV)/.benches: benches/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

test-bench: build $(VENV)/.benches  ## Every benchmark scenario and server once, with its answers checked
	cd benches && $(CARGO) test --release --locked --workspace
	$(BIN)/python -m pytest -q --timeout 60 benches/servers

check-artefact: libmllp  ## No panic and no allocator in the machine code of the cores and of the C library
	.ci/check-artefact

check-thumb:  ## Build the cores for a Cortex-M3
	.ci/check-thumb

firmware:  ## Build libmllp.a for microcontrollers, and a gateway in C and one in Rust
	examples/firmware/build

test-firmware: build  ## The gateways on an emulated board, and what they take: after make firmware
	cd examples/firmware/network && cargo fmt --check
	cd examples/firmware/smallest && cargo fmt --check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile examples/firmware/tests

check-budgets:  ## Instruction counts against benches/budgets.toml
	benches/check-budgets

bench:  ## Times against a reference, memchr and other libraries
	cd benches && $(CARGO) run --release --locked --bin table

bench-servers: build $(VENV)/.benches  ## Ratios of servers and of the Python package, three to four minutes: SECONDS=1 for each load
	$(BIN)/python benches/servers/run.py $(if $(filter-out file,$(origin SECONDS)),--seconds $(SECONDS))

sim:  ## Simulate links on a faulty network: SECONDS=60, or LIVES=1000000; BASE= for the same lives again
	SIM_$(if $(LIVES),LIVES=$(LIVES),SECONDS=$(SECONDS)) SIM_BASE=$(BASE) \
		cargo test --quiet --release -p mllp-link --test simulation the_link_survives

sim-astm:  ## Simulate ASTM links on a noisy line: LIVES=1000000; BASE= for the same lives again
	SIM_LIVES=$(or $(LIVES),1000000) SIM_BASE=$(or $(BASE),0) \
		cargo test --quiet --release -p astm-core --test simulation -- --nocapture no_acknowledged

FUZZ_TARGETS := decode peek edit ack round_trip astm

target/tools/bin/cargo-fuzz:
	cargo install --quiet cargo-fuzz --version 0.13.2 --locked --root target/tools

# libFuzzer keeps what it finds in the first folder: the seeds stay as they are.
fuzz: target/tools/bin/cargo-fuzz  ## Run every fuzz target: SECONDS=60 for each
	@for target in $(FUZZ_TARGETS); do \
		corpus=target/fuzz/corpus/$$target; log=target/fuzz/$$target.log; mkdir -p $$corpus; \
		echo "$$target: $(SECONDS) seconds"; \
		RUSTC_BOOTSTRAP=1 PATH="$(CURDIR)/target/tools/bin:$$PATH" \
			cargo fuzz run --sanitizer none --target-dir target/fuzz $$target \
			$$corpus fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=4096 -print_final_stats=1 >$$log 2>&1 \
			|| { tail -n 60 $$log; exit 1; }; \
		grep -a executed_units $$log; \
	done

gateway:  ## Build the engine's gateway
	cd engine && $(CARGO) build --release -p mllp-engine --example gateway

# PostgreSQL's tests start a server of their own, and skip where there is none.
test-engine:  ## The rooms of the engine: formatting, clippy, tests, whole lives in simulation
	cd engine && cargo fmt --all --check
	cd engine && $(CARGO) clippy --workspace --all-targets --features mllp-store/postgres -- -D warnings
	cd engine && cargo test --quiet --workspace --features mllp-store/postgres
	cd engine && cargo test --quiet --release -p mllp-pipeline --lib --test simulation

engine-reference: build-engine  ## Write the engine's reference from the code: factories, functions, settings, commands
	$(BIN)/python docs/write_engine_reference.py

test-engine-python: build-engine  ## The engine's Python package: types, stubs against the binary, tests
	cd engine/python && ../../$(BIN)/mypy
	cd engine/python && ../../$(BIN)/python -m mypy.stubtest fastmllp_engine._native
	cd engine/python && ../../$(BIN)/python -m pytest -q

test-keys:  ## Every state of six messages in a lane that is ordered by key, about five minutes
	cd engine && KEYS_MESSAGES=6 $(CARGO) test --release -p mllp-pipeline --lib every_state_of_more -- --nocapture

test-cases: build-engine  ## Every case of engine/tests/cases.toml whose room is built has a test
	$(BIN)/python engine/tests/cases.py

bench-messagefoundry:  ## MessageFoundry for `make bench-engine`, in an environment of its own: it is run, nothing of it is used
	$(PYTHON) -m venv engine/target/messagefoundry
	engine/target/messagefoundry/bin/pip install --quiet messagefoundry==0.2.1

bench-engine: build-engine  ## The engine under load, and the least that a durable pipeline on this disk does: SECONDS=5, MESSAGES=1000000 before, kept in DATA=
	cd engine && $(CARGO) build --release -p mllp-engine --example end_to_end
	cd benches/store_limit && $(CARGO) build --release
	cd benches && $(CARGO) build --release --locked -p mllpload
	$(BIN)/python benches/bench-engine $(if $(DATA),--data $(DATA)) $(if $(filter-out file,$(origin SECONDS)),$(SECONDS),5) $(MESSAGES)

test-queued:  ## A long queue: start, intake open, memory; QUEUED=1000000
	cd engine && QUEUED=$(or $(QUEUED),1000000) cargo test --quiet --release -p mllp-engine --test queued -- --nocapture

TORTURE := cd engine && $(CARGO) run --release -p fastmllp-torture
FAULTS := no-sync ack-early skip-head forget-lane foreign-reply fuse-always
MORE_FAULTS := ack-before-verdict pass-barrier forget-held not-reopened

torture:  ## Kill the engine, cut its power, fill its disk: SECONDS=60 for all, or of PLAN=kill, power-cut, disk-full; SEED=
	$(TORTURE) -- --seconds $(SECONDS) $(if $(PLAN),--plan $(PLAN)) $(if $(SEED),--seed $(SEED))

# The same build and the same seed: with a fault there is a finding, without one there is none.
SABOTAGED := $(TORTURE) --features sabotage -- --seconds 10 --seed 1

torture-sabotage:  ## Plant each fault in the engine; torture has to find all of them, and nothing without
	@for fault in $(FAULTS) $(MORE_FAULTS); do \
		echo "$$fault"; \
		($(SABOTAGED) --sabotage $$fault >/dev/null); \
		test $$? -eq 1 || { echo "$$fault is not found"; exit 1; }; \
	done
	@for plan in kill power-cut; do \
		echo "$$plan without a fault"; \
		($(SABOTAGED) --plan $$plan) || exit 1; \
	done

test-torture:  ## A short run of each plan, and the first six planted faults
	$(TORTURE) -- --seconds 36 --seed 2
	$(MAKE) --no-print-directory torture-sabotage MORE_FAULTS=

clean:  ## Remove everything that was built
	rm -rf target dist $(VENV) bindings-python/python/fastmllp/*.so
