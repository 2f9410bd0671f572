# Two commands set everything up: `make demo` and `make test`. Both work on a fresh machine with Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
# uv does not read pip's settings; folders with packages, such as torch built for the CPU, serve both.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
# Tests start hundreds of processes, each of which would compile the same modules where bytecode is not kept.
export PYTHONDONTWRITEBYTECODE :=

.DELETE_ON_ERROR:
.PHONY: demo test test-trainers-nightly lint lint-style lint-mypy lint-pyright format bench corpus docs clean help
.PHONY: scale cluster crashes fuzz determinism lowest sbom audit

help:
	@echo "make demo    compile a real recipe (sets up $(VENV) first)"
	@echo "make test    every test (sets up the rest first)"
	@echo "make test-trainers-nightly   the trainers that take long to install, too"
	@echo "make fuzz    every reader of files against mutated ones, 10 minutes each (SECONDS=60 for less)"
	@echo "make cluster hosts cut off, killed and throttled, and an object store that breaks (as root, with iproute2)"
	@echo "make lint    formatting, style, types"
	@echo "make determinism   every recipe under other locales, threads, processors, versions; the same bytes"
	@echo "make lowest  the oldest versions that pyproject.toml allows compile, scan and run (needs uv)"
	@echo "make sbom    a bill of materials (CycloneDX) and the licences of what runs, into build/sbom"
	@echo "make audit   known vulnerabilities of what is installed (needs a network)"
	@echo "make bench   figures, as ratios against a reference in the same run"
	@echo "make crashes processes killed, disks full and failing at every point where a command writes"
	@echo "make scale   what 10^7 documents and the largest recipes cost, and a cluster simulated"
	@echo "make docs    the manual, into build/docs; it opens without a network"
	@echo "make corpus  real documents for recipes/docs.mix, into build/corpus (needs npm and apt-get)"

ifdef UV
venv = $(UV) venv --quiet --seed --python $(PYTHON) $(VENV)
install = $(UV) pip install --quiet --python $(BIN)/python -e "$(1)"
else
venv = $(PYTHON) -m venv $(VENV)
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check -e "$(1)"
endif

$(BIN)/python:
	$(venv)

# One stamp per set of packages, renewed when the project's metadata changes.
$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(call install,.)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(call install,.[dev])
	@touch $@ $(VENV)/.core

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(call install,.[docs])
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	$(BIN)/mixc compile recipes/polyglot17.mix

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal

# Trainers that take long to install, each in an environment of its own: 20 GB, once.
test-trainers-nightly: $(VENV)/.dev
	MIXC_NIGHTLY=1 $(BIN)/python -m pytest tests/trainers

# Seconds for each target, two at a time; `make fuzz TARGETS="recipe catalog"` for some.
SECONDS := 600
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz.guided $(SECONDS) $(TARGETS)

# Network namespaces are the hosts of a Ray cluster; a proxy is in front of an S3-compatible server.
cluster: $(VENV)/.dev
	$(BIN)/python -m tests.cluster.store
	$(BIN)/python -m tests.cluster.hosts

# `make -j2 lint` checks types with both checkers at once.
lint: lint-pyright lint-mypy lint-style

lint-style: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mixc fmt --check recipes

lint-mypy: $(VENV)/.dev
	$(BIN)/mypy

lint-pyright: $(VENV)/.dev
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mixc fmt recipes

# Takes hours; `python -m tests.crash --few 4` tries points evenly spaced.
crashes: $(VENV)/.dev
	$(BIN)/python -m tests.crash

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench
	for part in nag murating mubench fitting search reporting typing; do $(BIN)/python -m tests.bench.$$part || exit 1; done

# Documents are made as they are read: `make scale DOCUMENTS=1e8`.
scale: $(VENV)/.dev
	$(BIN)/python -m tests.scale

# Ten minutes on two cores, and as long again for the noise; `--few` and the beginnings of names take less.
determinism: $(VENV)/.dev
	$(BIN)/python -m tests.determinism
	$(BIN)/python -m tests.determinism.disturbed 4

lowest: $(VENV)/.dev
	$(BIN)/python -m tests.determinism --few lowest

sbom: $(VENV)/.dev
	$(BIN)/python -m tests.chain.sbom
	$(BIN)/python -m tests.chain.packages | tee build/sbom/licences.txt

audit: $(VENV)/.dev
	$(BIN)/python -m tests.chain.audit

# Pages that are generated from the code's own tables are written at build time, into build/manual.
docs: $(VENV)/.docs
	$(BIN)/python recipes/manual/build.py

# Packages are downloaded once, into build/packages.
corpus: $(VENV)/.core
	$(BIN)/python -m tests.corpus

clean:
	rm -rf $(VENV) build dist *.egg-info
