# make run      set everything up and start Scrim: the studio is at http://127.0.0.1:8080
# make test     set everything up and pass all tests
# make test-vm  the virtual camera before a real kernel, in QEMU (Debian, as root)
# make check    ruff, its formatter, mypy
# make bench    measure this machine and write benchmarks/README.md

# The first that runs and is new enough; a name may exist and not run.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin

.PHONY: setup run test test-vm check bench clean

setup: .venv/scrim-installed

run: setup
	$(BIN)/scrim run

test: .venv/tests-installed
	$(BIN)/python -m pytest

test-vm: .venv/tests-installed
	tests/vm/prepare.sh build/vm
	tests/vm/boot.sh build/vm 2400 $(BIN)/python -m pytest -v --color=no -p no:cacheprovider \
	  -o timeout=600 tests/vm/guest.py tests/vm/service.py

check: .venv/tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/tests-installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-peers

.venv/bin/python:
	@test -n "$(PYTHON)" || \
	  { echo "Scrim needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "no venv module: sudo apt install python3-venv"; exit 1; }

.venv/scrim-installed: pyproject.toml .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/tests-installed: pyproject.toml .venv/scrim-installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[check]'
	@touch $@
