# creditbus. `make` prints what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STUBS := services/_stubs/credit

.PHONY: help install proto check lint types walls fast test demo bench bench-latency bench-query bench-growth up down clean

help: ## print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements-dev.lock
	$(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	echo "$(CURDIR)" > "$$($(RUN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/creditbus.pth"
	printf '#!/bin/sh\nexec "%s/$(RUN)/python" -m services.cli "$$@"\n' "$(CURDIR)" > $(RUN)/credit
	chmod +x $(RUN)/credit
	touch $@

$(STUBS)/.made: $(VENV)/.installed $(shell find proto -name '*.proto')
	mkdir -p services/_stubs
	$(RUN)/python -m grpc_tools.protoc -Iproto --python_out=services/_stubs --pyi_out=services/_stubs \
		--grpc_python_out=services/_stubs $(shell find proto -name '*.proto')
	touch $@

install: $(VENV)/.installed $(STUBS)/.made ## make the virtual environment from the hash-locked files, and the gRPC stubs

proto: $(STUBS)/.made ## generate the gRPC stubs

check: lint types walls fast ## the fast tier: style, types, walls, unit, property and contract tests

lint: install
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .

types: install
	$(RUN)/pyright

walls: install
	$(RUN)/lint-imports

fast: install
	$(RUN)/pytest tests/unit tests/properties tests/contract

test: check ## everything: the fast tier, then integration on the real broker, registry and databases
	$(RUN)/pytest tests/integration

demo: install ## the main job: stack, agencies, records, reconciliation (DATA=dir of real registrations, KILL=1, KEEP=1)
	$(RUN)/credit demo $(if $(DATA),--data $(DATA)) $(if $(KILL),--kill) $(if $(KEEP),--keep)

bench: install ## us, Kafka Connect, Java, Faust and COPY in interleaved rounds: rates, ratios, CPU, memory (QUICK=1)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.run

bench-latency: install ## open loop: publish to receipt, to change feed, to gRPC-visible at 50/s, 400/s, 70 % (QUICK=1, RATE=)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.latency

bench-query: install ## gRPC look-ups over 1 million subjects and 5 million records (QUICK=1, SUBJECTS=, RECORDS=)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.query

bench-growth: install ## CPU per record at 1, 3, 10, 30 million stored records, and with little memory (QUICK=1, SIZES=)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.growth

up: install ## start the stack and the services
	$(RUN)/credit up

down: ## stop them
	$(RUN)/credit down

clean: ## remove the virtual environment and generated stubs
	rm -rf $(VENV) $(STUBS)
