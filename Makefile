# `make demo` and `make test`: all they need is make, Python 3.11 or newer, and its venv module.

VENV ?= .venv
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

.PHONY: demo test help clean
.DELETE_ON_ERROR:

help:
	@echo "make demo   index the shipped pages and run a few searches"
	@echo "make test   run the tests"
	@echo "make clean  remove the virtual environment $(VENV)"

demo: $(VENV)/.for-demo
	@$(VENV)/bin/codesearch demo

test: $(VENV)/.for-tests
	$(VENV)/bin/pytest

$(VENV)/.for-demo: $(VENV)/.made pyproject.toml constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.for-tests: $(VENV)/.made pyproject.toml constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
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
