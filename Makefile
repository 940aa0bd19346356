# creditbus. `make` prints what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Debian's own Python is built with profile-guided optimisation; one compiled without costs 14 % more CPU a record.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3)
VENV := .venv
RUN := $(VENV)/bin
STUBS := services/_stubs/credit
NATIVE := $(basename $(wildcard services/*/native/_*.pyi))
CFLAGS ?= -O2
SYSCONFIG = $(RUN)/python -c 'import sysconfig as s; print(" ".join(str(f) for f in ($(1))))'
# What an extension of this Python is compiled with; warnings are errors.
EXTENSION = -std=c11 -Wall -Wextra -Werror -I$$($(call SYSCONFIG,[s.get_path("include")])) \
	$$($(call SYSCONFIG,s.get_config_var("CCSHARED").split() + s.get_config_var("LDSHARED").split()[1:]))

.PHONY: help native native-fuzz install proto check lint types walls fast test demo bench bench-latency bench-growth bench-query bench-reconcile bench-linking chaos chaos-quick fuzz sim up down clean

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

native: $(addsuffix .built,$(NATIVE)) ## build what the services have in C; everything works without it, slower

$(addsuffix .built,$(NATIVE)): %.built: $(VENV)/.installed $(wildcard services/*/native/*.[ch])
	@if command -v $(CC) > /dev/null && [ -f "$$($(call SYSCONFIG,[s.get_path("include")]))/Python.h" ]; then \
		set -x; $(CC) $(CFLAGS) $(EXTENSION) $(@D)/*.c -o $*$$($(call SYSCONFIG,[s.get_config_var("EXT_SUFFIX")])) && touch $@; \
	else \
		echo "native: no C compiler or no Python.h (Debian: gcc, python3-dev); $(@D) does its work in Python"; \
	fi

native-fuzz: install ## the native code's tests with 300,000 damaged messages, under the address and undefined-behaviour sanitizers
	mkdir -p var/native-fuzz
	for extension in $(NATIVE); do \
		$(CC) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all $(EXTENSION) $$(dirname $$extension)/*.c \
			-o var/native-fuzz/$$(basename $$extension).so || exit 1; \
	done
	LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
		ASAN_OPTIONS=detect_leaks=0 CREDIT_NATIVE_FUZZ=var/native-fuzz DAMAGED=300000 \
		$(RUN)/pytest $(addprefix tests/properties/,$(addsuffix /test_native.py,ingestion chassis disclosure))

install: $(VENV)/.installed $(STUBS)/.made native ## make the virtual environment from the hash-locked files, the gRPC stubs and the native code

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

fuzz: install ## file, gRPC and topic doors under coverage-guided fuzzing (MINUTES=10, for all together)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	for door in file grpc payload topic; do \
		$(RUN)/python -m tests.fuzz $$door -max_total_time=$$(( $(or $(MINUTES),10) * 15 )) || exit 1; \
	done

sim: install ## all five services on virtual time under the faults of each seed (SEEDS=2000 FROM=1; BUGS=1: the planted ones)
	$(RUN)/credit sim $(if $(BUGS),--bugs,--seeds $(or $(SEEDS),2000) --from $(or $(FROM),1))

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

bench-reconcile: install ## credit reconcile over 1 million records, with rows deleted (QUICK=1, RECORDS=)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.reconcile

bench-linking: install ## identity's link step beside a bare insert, explain, and a merge, at 1 million subjects (QUICK=1, SUBJECTS=, ALIASES=)
	PYTHONPATH=services/_stubs $(RUN)/python -m bench.linking

chaos: install ## kills at every crash point and the fault matrix, each followed by the account of every record (SEED=7; MERGE=: rows of other reports)
	$(RUN)/python -m tests.chaos --seed $(or $(SEED),7) $(if $(MERGE),--merge $(MERGE))

chaos-quick: install ## a kill of each service and the cheap faults, a few minutes (SEED=7)
	$(RUN)/python -m tests.chaos --quick --seed $(or $(SEED),7)

up: install ## start the stack and the services
	$(RUN)/credit up

down: ## stop them
	$(RUN)/credit down

clean: ## remove the virtual environment and generated stubs
	rm -rf $(VENV) $(STUBS) services/*/native/*.built services/*/native/*.so
