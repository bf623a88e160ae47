# Sluice. `make help` lists the targets. Everything that a target needs it installs itself, once.

SHELL        := /bin/bash
.SHELLFLAGS  := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON       ?= python3
VENV         := .venv
PY           := $(VENV)/bin/python
LOCAL        := .local
DEBIAN       := zlib1g-dev libcurl4-openssl-dev libsqlite3-dev python3-venv openssl ca-certificates tzdata \
                syslog-ng-core logrotate
# An import that Package.swift does not list is an error.
SWIFT_FLAGS  := --explicit-target-dependency-import-check error
SOURCES      := Package.swift $(shell find Sources -name '*.swift' -o -name '*.h' -o -name '*.modulemap')
RELEASE      := .build/release/sluice
DEBUG        := .build/debug/sluice
SUDO         := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
N            ?= 100

.PHONY: help setup build release test quick unit end-to-end crash torture demo local-aws bench lint format check clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1|/' | column -t -s '|'

setup: $(LOCAL)/debian.stamp $(LOCAL)/venv.stamp ## install what is missing: Debian packages, Python environment

$(LOCAL)/debian.stamp: Makefile
	@mkdir -p $(LOCAL)
	@missing=""; for package in $(DEBIAN); do \
	  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing Debian packages:$$missing"; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >$(LOCAL)/apt.log; \
	fi
	@command -v swift >/dev/null || { echo "Swift 6.1 or newer is needed: https://www.swift.org/install/"; exit 1; }
	@touch $@

$(LOCAL)/venv.stamp: Tests/requirements.txt $(LOCAL)/debian.stamp
	@[ -x $(PY) ] || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	@touch $@

build: $(DEBUG) ## build for development (debug, with failpoints)

$(DEBUG): $(SOURCES) $(LOCAL)/debian.stamp
	swift build $(SWIFT_FLAGS)
	@touch $@

release: $(RELEASE) ## build the program for use

$(RELEASE): $(SOURCES) $(LOCAL)/debian.stamp
	swift build $(SWIFT_FLAGS) -c release --product sluice
	@touch $@

test: unit end-to-end ## every test: units, protocol, crashes (sets up and builds by itself)

quick: unit ## the quick suite: units, and the protocol tests without the slow ones
	SLUICE_BIN=$(DEBUG) $(PY) -m pytest Tests -q -m "not slow"

unit: setup
	swift build $(SWIFT_FLAGS) --build-tests
	swift test --skip-build

end-to-end: setup $(DEBUG)
	SLUICE_BIN=$(DEBUG) $(PY) -m pytest Tests -q

crash: setup $(DEBUG) ## random kills of the real program: make crash N=1000 SEED=7
	SLUICE_BIN=$(DEBUG) SLUICE_CRASHES=$(N) SLUICE_SEED=$(SEED) $(PY) -m pytest Tests/EndToEnd/test_crash.py -q -s -k random

torture: setup $(DEBUG) ## log rotation, kills and failures all at once: make torture SECONDS=600 SEED=7
	cd Tests/EndToEnd && SLUICE_BIN=$(CURDIR)/$(DEBUG) $(CURDIR)/$(PY) -m torture \
	  --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

demo: setup $(RELEASE) ## the whole way on this machine: ship sample logs, archive them, look at the result
	@Tests/Demo/demo.sh

local-aws: setup ## start the local AWS endpoint by hand; ends with Ctrl-C
	@$(PY) Tests/LocalAWS/run.py

bench: setup $(RELEASE) ## CPU and memory of an archive run, as ratios to gzip
	$(PY) Tests/Bench/bench.py

lint: ## formatting and style findings, as errors
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## format all Swift files in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests

check: lint test ## what CI runs

clean: ## remove build products, the Python environment and local state
	rm -rf .build $(VENV) $(LOCAL)
