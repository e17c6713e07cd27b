# A menu: each dish is one command that can as well be typed. A plain
# `cargo build` works in a fresh clone; nothing here has to run before it.

CARGO ?= cargo
ARGS ?=

# Where setup finds or puts programs that the shell may not know of.
export PATH := $(PATH):$(CURDIR)/.tools/bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

NOT_ROOT := $(filter-out 0,$(shell id -u))
AS_ROOT := $(if $(NOT_ROOT),sudo)
# Tests attach to the kernel, so cargo is told to start them through sudo.
TEST_RUNNER := $(if $(NOT_ROOT),--config "target.'cfg(all())'.runner = 'sudo -E'")

# Each test that traces the real kernel writes its name into it.
LIVE_LOG := $(CURDIR)/target/live-tests

# $(call timed,NAME,COMMANDS): runs them, then says how long they took.
define timed
@start=$$(date +%s); ( set -e; $(2) ); status=$$?; \
echo "make $(1): $$(( $$(date +%s) - start )) s, set-up included" >&2; exit $$status
endef

.PHONY: help setup setup-kernel setup-check setup-bench setup-kernels setup-fuzz build run test bench \
    kernels fuzz check docs object clean
.DEFAULT_GOAL := help

help: ## this menu
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

setup: ## bring what building and running needs (nothing, when it is there)
	@scripts/setup.sh run

setup-kernel: ## bring what rebuilding the kernel side needs
	@scripts/setup.sh kernel

setup-check: ## bring what `make check` needs
	@scripts/setup.sh check

setup-bench: ## bring the peers that `make bench` compares with
	@scripts/setup.sh bench

setup-kernels: ## bring the emulator that `make kernels` boots kernels in
	@scripts/setup.sh kernels

setup-fuzz: ## bring what `make fuzz` needs
	@scripts/setup.sh fuzz

build: setup ## build for release
	$(CARGO) build --release

# The trap lets the last line be written after an interrupt, which is how a
# tracer usually ends.
run: ## build for release and run as root: make run ARGS='--help'
	@trap : INT; start=$$(date +%s); scripts/setup.sh run && $(CARGO) build --release || exit; \
	echo "make run: ready after $$(( $$(date +%s) - start )) s, set-up and build included" >&2; \
	$(AS_ROOT) target/release/exectrail $(ARGS); status=$$?; \
	echo "make run: $$(( $$(date +%s) - start )) s in all, set-up included" >&2; exit $$status

test: ## all tests, as root
	@$(if $(NOT_ROOT),echo "make test: not root: cargo starts the tests through sudo" >&2,:)
	$(call timed,test,scripts/setup.sh run; mkdir -p target; : > $(LIVE_LOG); \
	EXECTRAIL_LIVE_LOG=$(LIVE_LOG) $(CARGO) test --workspace --locked $(TEST_RUNNER); \
	echo "make test: $$(sort -u $(LIVE_LOG) | wc -l) tests traced the real kernel" >&2)

# Built before root comes in, so that what cargo writes stays the user's.
bench: ## what tracing costs, as root, beside other tracers: make bench ARGS=--quick
	@$(if $(NOT_ROOT),echo "make bench: not root: cargo starts the benchmark through sudo" >&2,:)
	$(call timed,bench,scripts/setup.sh bench; \
	$(CARGO) build --release --quiet --locked -p exectrail --bins --example subject; \
	$(CARGO) run --release --quiet --locked -p xtask $(TEST_RUNNER) -- bench $(ARGS))

kernels: ## the live tests on many kernels, in emulated machines: make kernels ARGS=--quick
	$(call timed,kernels,scripts/setup.sh kernels; \
	$(CARGO) run --quiet --locked -p xtask $(TEST_RUNNER) -- kernels $(ARGS))

fuzz: ## any bytes for all that reads bytes, five minutes each: make fuzz ARGS='--seconds 30'
	$(call timed,fuzz,scripts/setup.sh fuzz; \
	$(CARGO) run --quiet --locked -p xtask -- fuzz $(ARGS))

check: ## all that is checked without running: format, lints, licences, docs, object
	$(call timed,check,set -x; scripts/setup.sh check; \
	$(CARGO) fmt --all --check; \
	$(CARGO) fmt --manifest-path crates/bpf/Cargo.toml --check; \
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check; \
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings; \
	$(CARGO) run --quiet -p xtask -- kernel-clippy; \
	$(CARGO) run --quiet -p xtask -- tidy; \
	$(CARGO) deny --log-level error --all-features check licenses bans sources; \
	$(CARGO) deny --log-level error --manifest-path crates/bpf/Cargo.toml --config deny.toml \
	    --all-features check licenses bans sources; \
	$(CARGO) deny --log-level error --manifest-path fuzz/Cargo.toml --config deny.toml \
	    --all-features check licenses bans sources; \
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --quiet; \
	$(CARGO) run --quiet -p xtask -- docs --check; \
	$(CARGO) run --quiet -p xtask -- instructions; \
	$(CARGO) run --quiet -p xtask -- object check)

docs: ## write docs/ anew from the table of fields, to be committed with it
	$(CARGO) run --quiet -p xtask -- docs

object: setup-kernel ## rebuild the committed kernel object, to be committed with its sources
	$(CARGO) run --quiet -p xtask -- object update

clean: ## remove what was built; what setup brought stays
	$(CARGO) clean
	rm -rf crates/bpf/target
