# The portal from a fresh clone. `make` alone says what there is.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
COMPILE := uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links
DJADE := $(BIN)/djade --target-version 5.2
TEMPLATES = $(shell find templates -name '*.html')
export PIP_NO_INPUT := 1

.PHONY: help run test lint format browser hostile bench chaos messages requirements

help:
	@echo "make run           the portal with its own servers and the demo, at http://127.0.0.1:8000 (PORT)"
	@echo "make test          all tests"
	@echo "make browser       the browser tests alone, with every page in every state"
	@echo "make hostile       all hostile texts through every field of every form"
	@echo "make lint          style, types, floors, migrations, catalogues"
	@echo "make format        put the code in order"
	@echo "make messages      bring the catalogues up to date with the sources"
	@echo "make bench         measure"
	@echo "make chaos         kill parts of the portal while groups register, and count what is lost"
	@echo "make requirements  pin the newest requirements (needs uv)"

run: .venv/ready-to-run
	@exec $(BIN)/python -m launcher run --follow

test: .venv/ready-to-test
	@exec $(BIN)/python -m launcher test

browser: .venv/ready-to-test
	@BROWSER_ALL=1 exec $(BIN)/python -m launcher exec -- $(BIN)/pytest tests -m browser

hostile: .venv/ready-to-test
	@HOSTILE_ALL=1 $(BIN)/python -m launcher exec -- $(BIN)/pytest tests/hostile -n 2 -q

lint: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(DJADE) --check $(TEMPLATES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m launcher exec -- $(BIN)/mypy
	$(BIN)/python -m launcher exec -- $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m launcher.catalogues check

format: .venv/ready-to-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(DJADE) $(TEMPLATES) || true

messages: .venv/ready-to-test
	$(BIN)/python -m launcher.catalogues extract

bench: .venv/ready-to-test
	@PORTAL_VAR=var/bench exec $(BIN)/python -m launcher exec -- $(BIN)/python -m bench

chaos: .venv/ready-to-test
	@PORTAL_VAR=var/chaos exec $(BIN)/python -m launcher exec -- $(BIN)/python -m chaos

requirements:
	$(COMPILE) --upgrade requirements.in -o requirements.txt
	$(COMPILE) --upgrade requirements-embedded.in -o requirements-embedded.txt
	$(COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Making the virtual environment .venv …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/ready-to-run: requirements.txt requirements-embedded.txt | .venv/bin/python
	@echo "Installing what the portal needs …"
	@$(PIP) -r requirements.txt -r requirements-embedded.txt
	@touch $@

.venv/ready-to-test: requirements-dev.txt .venv/ready-to-run
	@echo "Installing what the tests need …"
	@$(PIP) -r requirements.txt -r requirements-dev.txt
	@touch $@
