# `make demo` and `make test`: all they need is make, Python 3.11 or newer, and its venv module. The others take long, and
# are no part of the tests: see docs/reliability.md.

VENV ?= .venv
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

FUZZED ?= page codeset input query suggest code damaged crafted
RUNS ?= 20000

.PHONY: demo test soak crash corruption fuzz audit help clean
.DELETE_ON_ERROR:

help:
	@echo "make demo   index the shipped pages and run a few searches"
	@echo "make test   run the tests"
	@echo "make soak   search for an hour while generations are published: SOAK=\"--minutes 10\" for less"
	@echo "make crash  kill and fail reindexing at 200 moments and at every file operation"
	@echo "make corruption  turn 4000 bits of an index of ICD-10-CM, one at a time"
	@echo "make fuzz   give mutated input to everything that reads, RUNS=$(RUNS) times each (needs the wheel of atheris)"
	@echo "make audit  ask PyPI for known vulnerabilities of what is installed"
	@echo "make clean  remove the virtual environment $(VENV)"

demo: $(VENV)/.for-demo
	@$(VENV)/bin/codesearch demo

test: $(VENV)/.for-tests
	$(VENV)/bin/pytest

soak: $(VENV)/.for-tests
	$(VENV)/bin/python tests/trust/soak.py $(SOAK)

crash: $(VENV)/.for-tests
	$(VENV)/bin/python tests/trust/crash.py $(CRASH)

corruption: $(VENV)/.for-tests
	$(VENV)/bin/codesearch reindex corpus icd10cm --index .fuzz/index
	$(VENV)/bin/python tests/trust/corruption.py .fuzz/index --flips 4000

fuzz: $(VENV)/.for-fuzz
	for target in $(FUZZED); do $(VENV)/bin/python tests/trust/fuzz.py $$target --runs $(RUNS) --found .fuzz || exit 1; done

audit: $(VENV)/.for-tests
	$(VENV)/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/bin/pip-audit --vulnerability-service pypi --disable-pip --no-deps --requirement constraints.txt

$(VENV)/.for-demo: $(VENV)/.made pyproject.toml constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.for-tests: $(VENV)/.made pyproject.toml constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@

$(VENV)/.for-fuzz: $(VENV)/.made pyproject.toml constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,fuzz]"
	@touch $@

$(VENV)/.made:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "codesearch needs Python 3.11 or newer: $(or $(PYTHON),there is none on the PATH)."; \
		echo "Debian, Ubuntu: sudo apt install python3 python3-venv     or: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; \
		exit 1; } >&2
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment: its module venv or ensurepip is missing."; \
		echo "Debian, Ubuntu: sudo apt install python3-venv"; \
		exit 1; } >&2
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV)
