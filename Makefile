# Everything a person or a machine does with a checkout. Needs make and Python 3.11 or newer with venv; nothing else.

PORT ?= 8080
DATA ?= var/demo
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PUMP := media/pump/pump.so
SERVER := $(VENV)/.server-$(shell cat requirements.txt requirements-source.txt pyproject.toml | cksum | tr -cd '0-9')
TOOLS := $(VENV)/.tools-$(shell cat requirements-dev.txt | cksum | tr -cd '0-9')
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MUTATED := vault/keys vault/records vault/destruction vault/audit practice signaling/tickets.py signaling/sessions.py signaling/admission.py
LONG := client/test_lying_server.py vault/test_crashes.py vault/test_root_key.py practice/test_any_order.py practice/test_bounces.py browser/test_it_comes_back.py browser/test_a_restart.py browser/test_account_pages.py browser/test_before_it_begins.py
# Tests start hundreds of processes: each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# Collecting all tests for these few takes longer than some of them.
SERIAL = $(shell grep -rl --include='test_*.py' 'mark\.serial' tests)
SCRATCH = TMPDIR="$$(sh .ci/scratch)"
CODE := spreekkamer.py client media operate practice rooms signaling turn vault web tests bench

.PHONY: help install run test tests-together tests-alone check tests-pure lint format tools system bench screenshots prove requirements clean

help:
	@echo 'make install       put the server into .venv'
	@echo 'make run           install, then a demo on http://localhost:$(PORT) (PORT=8080, DATA=var/demo)'
	@echo 'make test          install what the tests need, check the code, run all tests'
	@echo 'make check         for every save: check the code, run what needs no browser and no server'
	@echo 'make lint          check the code only'
	@echo 'make format        format the Python code'
	@echo 'make bench         print the figures of bench/README.md'
	@echo 'make screenshots   pictures of every page, in var/screenshots'
	@echo 'make prove         prove at length what is promised of destruction (NAMES=…, WRITE=1: tests/prove/README.md)'
	@echo 'make requirements  pin the newest versions that requirements*.in allow'

install: $(SERVER) $(PUMP)

run: install
	@exec $(BIN)/spreekkamer demo --port $(PORT) --data $(DATA)

$(BIN)/python:
	@PYTHON='$(PYTHON)' sh .ci/venv $(VENV)

$(SERVER): | $(BIN)/python
	@echo 'Installing the server into $(VENV) …'
	@$(PIP) --no-deps --require-hashes -r requirements.txt
	@$(PIP) --no-deps --require-hashes --no-build-isolation -r requirements-source.txt
	@$(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@rm -f $(VENV)/.server-* && touch $@

# Where there is no C compiler this says so, and the relay works without.
$(PUMP): media/pump/pump.c media/pump/pump.h | $(SERVER)
	@$(BIN)/python -m media.pump.build

$(TOOLS): $(SERVER) | $(PUMP)
	@echo 'Installing what tests and checks need into $(VENV) …'
	@$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	@rm -f $(VENV)/.tools-* && touch $@

tools: $(TOOLS)

system:
	@sh .ci/system-packages

lint: $(TOOLS)
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/mypy
	$(BIN)/lint-imports
	@mkdir -p web/types
	$(BIN)/python -m signaling.schema.typescript > web/types/wire.d.ts
	$(BIN)/python -m tests.web.test_wire_types > web/types/agreement.ts
	@sh web/check

format: $(TOOLS)
	$(BIN)/ruff check --fix $(wildcard $(CODE))
	$(BIN)/ruff format $(wildcard $(CODE))

# The checks run beside the tests that share the machine; what judges times comes after both, with nobody beside it. All of
# it runs whatever fails, so that one run says everything.
test: system $(TOOLS)
	@sh web/modules
	@sh tests/readers/install
	@failed=0; \
	$(MAKE) --no-print-directory --keep-going -j 2 lint tests-together || failed=1; \
	$(MAKE) --no-print-directory tests-alone || failed=1; \
	$(BIN)/python .ci/minutes var/tests-together.xml var/tests-alone.xml || failed=1; \
	exit $$failed

tests-together: $(TOOLS)
	$(SCRATCH) $(BIN)/python .ci/tests tests-together -n $(WORKERS) --dist worksteal -m 'not serial'

tests-alone: $(TOOLS)
	$(SCRATCH) $(BIN)/python .ci/tests tests-alone -m serial $(SERIAL)

check: $(TOOLS)
	@$(MAKE) --no-print-directory -j 2 lint tests-pure

tests-pure: $(TOOLS)
	$(SCRATCH) $(BIN)/python -m pytest -q -p tests.pure -n $(WORKERS) --dist worksteal -m 'not serial'

bench: $(TOOLS)
	@sh .ci/system-packages janus
	$(BIN)/python -m bench

screenshots: $(TOOLS)
	$(BIN)/python -m tests.browser.screenshots var/screenshots

prove: $(TOOLS)
	@sh .ci/system-packages spin gcc postfix:/usr/sbin/postfix dovecot-imapd:/usr/sbin/dovecot
	$(BIN)/python -m tests.prove $(NAMES) $(if $(WRITE),--write)
	$(if $(NAMES),,PROVE=1 $(BIN)/pytest -q --timeout=1200 $(addprefix tests/,$(LONG)))
	$(if $(NAMES),,$(BIN)/python -m tests.prove.mutation $(MUTATED) --tests tests/vault tests/practice tests/rooms tests/signaling --seconds 1500 --least 85 $(if $(WRITE),--write))

requirements: $(TOOLS)
	@sh .ci/requirements $(BIN)

clean:
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
