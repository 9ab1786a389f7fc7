# SPDX-License-Identifier: GPL-3.0-or-later
# Two commands: `make run` and `make test`. Both say what they install (Debian packages, by apt-get)
# before they do it, and a second run takes seconds. `make help` lists the rest.

BUILD ?= build

.PHONY: all run test sanitize bench tidy fuzz install-build clean help

all: install-build $(BUILD)/build.ninja
	@ninja -C $(BUILD)

install-build:
	@tools/install build

$(BUILD)/build.ninja:
	@tools/install build
	meson setup $(BUILD)

run:
	@tools/install build run
	@$(MAKE) --no-print-directory all
	@$(BUILD)/lodge serve --demo $(ARGS)

test:
	@tools/install build run test
	@$(MAKE) --no-print-directory all
	@tools/suites $(BUILD)

build-sanitized/build.ninja:
	meson setup build-sanitized -Db_sanitize=address,undefined -Darena_malloc=true \
	    -Dbuildtype=debug -Doptimization=1 -Db_lundef=false

sanitize:
	@tools/install build run test
	@$(MAKE) --no-print-directory build-sanitized/build.ninja
	@ninja -C build-sanitized
	@tools/suites build-sanitized

build-release/build.ninja:
	meson setup build-release -Dbuildtype=release -Ddebug=true

bench:
	@tools/install build run bench
	@$(MAKE) --no-print-directory build-release/build.ninja
	@ninja -C build-release lodge bench/bench-spool tests/schoolseed
	@$(MAKE) --no-print-directory -C bench
	@bench/run-all build-release/lodge


fuzz:
	@tools/fuzz $(ARGS)

clean:
	rm -rf build build-sanitized build-release build-fuzz

help:
	@echo "make            build build/lodge"
	@echo "make run        install what is missing, build, start a demonstration school"
	@echo "make test       install what is missing, build, run every suite"
	@echo "make sanitize   the same with AddressSanitizer and UndefinedBehaviourSanitizer"
	@echo "make bench      release build against other proxies; writes bench/results/"
	@echo "make fuzz       every fuzz target for a minute each, with libFuzzer (clang)"
	@echo "make tidy       clang-tidy over the tree"

tidy:
	@tools/install build tidy
	@$(MAKE) --no-print-directory all
	ninja -C $(BUILD) clang-tidy
