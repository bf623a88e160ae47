# Sluice. `make help` lists the targets. Everything that a target needs it installs itself, once.

SHELL        := /bin/bash
.SHELLFLAGS  := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON       ?= python3
VENV         := .venv
PY           := $(VENV)/bin/python
LOCAL        := .local
DEBIAN       := zlib1g-dev libcurl4-openssl-dev libsqlite3-dev libdeflate0 python3-venv openssl ca-certificates tzdata \
                logrotate binutils dpkg-dev
# The tests read units, man pages and the package with the tools that their users have.
TEST_TOOLS   := postgresql lintian debootstrap systemd man-db mandoc zsh fish
PREFIX       ?= /usr/local
DESTDIR      ?=
# An import that Package.swift does not list is an error.
SWIFT_FLAGS  := --explicit-target-dependency-import-check error
# What goes to other machines: the Swift runtime inside, no library looked for beside the program, all addresses bound
# and made read-only at the start, and no debug information, which `make install` would strip.
RELEASE_FLAGS := -c release --product sluice --static-swift-stdlib --disable-local-rpath -debug-info-format none \
                 -Xlinker -z -Xlinker now
SOURCES      := Package.swift $(shell find Sources -name '*.swift' -o -name '*.[ch]' -o -name '*.modulemap')
RELEASE      := .build/release/sluice
DEBUG        := .build/debug/sluice
SUDO         := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
N            ?= 100

.PHONY: help setup setup-tests build release test quick unit end-to-end crash torture day demo local-aws bench bench-check bench-growth schemas lint format check clean
.PHONY: install uninstall deb

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1|/' | column -t -s '|'

# Installs those of $$packages that are missing; nothing that is installed is removed for it.
define INSTALL_MISSING
missing=""; for package in $$packages; do \
  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  echo "installing Debian packages:$$missing"; \
  $(SUDO) apt-get update -qq; \
  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove --no-install-recommends $$missing >$(LOCAL)/apt.log; \
fi
endef

setup: $(LOCAL)/debian.stamp $(LOCAL)/venv.stamp ## install what is missing: Debian packages, Python environment

$(LOCAL)/debian.stamp: Makefile
	@mkdir -p $(LOCAL)
	@packages="$(DEBIAN)"; $(INSTALL_MISSING)
	@command -v swift >/dev/null || { echo "Swift 6.1 or newer is needed: https://www.swift.org/install/"; exit 1; }
	@touch $@

setup-tests: setup $(LOCAL)/test-tools.stamp $(LOCAL)/syslog-ng.stamp $(LOCAL)/prometheus.stamp

$(LOCAL)/test-tools.stamp: $(LOCAL)/debian.stamp
	@packages="$(TEST_TOOLS)"; $(INSTALL_MISSING)
	@touch $@

# Debian's package of syslog-ng starts a service and cannot stand beside rsyslog. The tests run their own: its files are
# unpacked here, and only the libraries that it needs are installed.
$(LOCAL)/syslog-ng.stamp: $(LOCAL)/debian.stamp
	@if ! PATH="$$PATH:/usr/sbin" command -v syslog-ng >/dev/null; then \
	  echo "unpacking syslog-ng into $(LOCAL)/syslog-ng"; \
	  rm -rf $(LOCAL)/syslog-ng && mkdir -p $(LOCAL)/syslog-ng; \
	  $(SUDO) apt-get update -qq; \
	  (cd $(LOCAL)/syslog-ng && apt-get download -qq syslog-ng-core && dpkg-deb -x syslog-ng-core_*.deb .); \
	  packages="$$(apt-cache depends syslog-ng-core | sed -n 's/^  Depends: \(lib[^<>]*\)$$/\1/p' | tr '\n' ' ')"; $(INSTALL_MISSING); \
	fi
	@touch $@

# Debian's package of promtool starts Prometheus as a service. Only the file is wanted.
$(LOCAL)/prometheus.stamp: $(LOCAL)/debian.stamp
	@if ! command -v promtool >/dev/null; then \
	  echo "unpacking promtool into $(LOCAL)/prometheus"; \
	  rm -rf $(LOCAL)/prometheus && mkdir -p $(LOCAL)/prometheus; \
	  $(SUDO) apt-get update -qq; \
	  (cd $(LOCAL)/prometheus && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb); \
	fi
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

release: $(RELEASE) ## build the program for use; it runs where no Swift is

$(RELEASE): $(SOURCES) $(LOCAL)/debian.stamp
	swift build $(SWIFT_FLAGS) $(RELEASE_FLAGS)
	@touch $@

install: $(RELEASE) ## install below PREFIX (/usr/local), for packagers below DESTDIR; what is there: README, "Install"
	PYTHON=$(PYTHON) jobs/packaging/install.sh install $(RELEASE) "$(DESTDIR)" "$(PREFIX)"

uninstall: $(RELEASE) ## take away what `make install` with the same PREFIX put there
	PYTHON=$(PYTHON) jobs/packaging/install.sh uninstall $(RELEASE) "$(DESTDIR)" "$(PREFIX)"

deb: $(RELEASE) ## build the Debian package into .local/
	jobs/packaging/deb.sh $(RELEASE) $(LOCAL)

test: unit end-to-end ## every test: units, protocol, crashes (sets up and builds by itself)

quick: unit setup-tests ## the quick suite: units, and the protocol tests without the slow ones
	SLUICE_BIN=$(DEBUG) $(PY) -m pytest Tests -q -m "not slow"

unit: setup
	swift build $(SWIFT_FLAGS) --build-tests
	swift test --skip-build

end-to-end: setup-tests $(DEBUG) $(RELEASE)
	SLUICE_BIN=$(DEBUG) $(PY) -m pytest Tests -q

crash: setup $(DEBUG) ## random kills of the real program: make crash N=1000 SEED=7
	SLUICE_BIN=$(DEBUG) SLUICE_CRASHES=$(N) SLUICE_SEED=$(SEED) $(PY) -m pytest Tests/EndToEnd/test_crash.py -q -s -k random

torture: setup $(DEBUG) ## log rotation, kills and failures all at once: make torture SECONDS=600 SEED=7
	cd Tests/EndToEnd && SLUICE_BIN=$(CURDIR)/$(DEBUG) $(CURDIR)/$(PY) -m torture \
	  --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

day: setup-tests $(DEBUG) ## a day of timers, failures and kills, with status and metrics compared at each step: make day SEED=7
	SLUICE_BIN=$(DEBUG) SLUICE_DAY=24 SLUICE_SEED=$(SEED) $(PY) -m pytest Tests/EndToEnd/test_day.py -q -s

demo: setup $(RELEASE) ## the whole way on this machine: ship sample logs, archive them, look at the result
	@Tests/Demo/demo.sh

local-aws: setup ## start the local AWS endpoint by hand; ends with Ctrl-C
	@$(PY) Tests/LocalAWS/run.py

bench: setup $(RELEASE) ## CPU and memory of archive, transform and ship runs, and of runs that find little to do
	$(PY) Tests/Bench/bench.py
	$(PY) Tests/Bench/small_bench.py
	$(PY) Tests/Bench/ship_bench.py

bench-check: setup $(LOCAL)/valgrind.stamp $(RELEASE) ## instructions of each stage, against Tests/Bench/instructions.json (WRITE=1 keeps new ones)
	$(PY) Tests/Bench/instructions.py $(if $(WRITE),--write,--check)

bench-growth: setup $(RELEASE) ## growth curves of archive runs (Tests/Bench/growth.svg), and the fleet by formula and simulation
	@$(PY) -m pip install --quiet --disable-pip-version-check -r Tests/Bench/requirements.txt
	$(PY) Tests/Bench/growth.py
	$(PY) Tests/Bench/scale.py

$(LOCAL)/valgrind.stamp: $(LOCAL)/debian.stamp
	@packages="valgrind"; $(INSTALL_MISSING)
	@touch $@

schemas: $(DEBUG) ## write schemas/redshift/ anew from schemas/row.schema.json
	@mkdir -p schemas/redshift $(LOCAL)
	@sed '/^# redshift:/,$$s/^# //' jobs/drupal-archive.yaml >$(LOCAL)/redshift-job.yaml
	$(DEBUG) redshift ddl >schemas/redshift/table.sql
	$(DEBUG) redshift ddl --super >schemas/redshift/table-super.sql
	$(DEBUG) redshift jsonpaths >schemas/redshift/jsonpaths.json
	$(DEBUG) redshift copy --statement-only $(LOCAL)/redshift-job.yaml >schemas/redshift/copy.sql
	$(DEBUG) redshift external $(LOCAL)/redshift-job.yaml >schemas/redshift/external.sql

lint: ## formatting and style findings, as errors
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## format all Swift files in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests

check: lint test ## what CI runs

clean: ## remove build products, the Python environment and local state
	rm -rf .build $(VENV) $(LOCAL)
