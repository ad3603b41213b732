# The platform's commands. Every target that needs the virtual environment makes it first.
#
#   make up [STACK=dev] [TARGET=sandbox|sandbox-cli|gcp]
#
# A recipe's exit code is that of `python -m review`: 0 fine, 1 refused, 2 wrong use.

STACK ?= dev
TARGET ?= sandbox
BASE ?= main
CORPUS ?=
REGION ?=
INSTANCE ?=
DATABASE ?= aiprod
PYTHON ?= python3
ARGS ?=
SETTINGS ?= cut-over.toml
IMAGE ?= api

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SCRIPTS := .ci/run $(wildcard *.sh */*.sh */*/*.sh)
REVIEW := $(BIN)/python -m review

.DEFAULT_GOAL := help
.PHONY: help setup up preview down refresh drift adopt bootstrap bootstrap-migrate bootstrap-config diff waf test faults region-loss check static format-check lint types imports workflows shell golden bench fmt clean replay rotate rotate-rollback rotate-cache sleep wake cut-over cut-over-rehearsal migrate database-roles database-check contract release contract-check promote attest

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make .venv with the pinned packages (later runs do nothing)

$(STAMP): requirements.txt requirements-dev.txt $(wildcard operations/*/requirements.txt) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "setup: Python 3.11 or later is needed and '$(PYTHON)' is not one: install it, or name it with PYTHON=/path/to/python3." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "setup: '$(PYTHON)' cannot make a virtual environment: install its venv package (Debian and Ubuntu: python3-venv)." >&2; exit 2; }
	@echo "setup: installing the pinned packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

up: $(STAMP) ## Bring STACK up: in the sandbox, on the real CLI without a cloud, or on Google Cloud
	@$(REVIEW) up --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

preview: $(STAMP) ## Show what `up` would do
	@$(REVIEW) preview --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

down: $(STAMP) ## Delete everything of STACK; refused where something is protected
	@$(REVIEW) down --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

adopt: $(STAMP) ## Take over a project that runs already, after adoption/STACK.yaml; docs/adoption.md
	@$(REVIEW) adopt --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

refresh: $(STAMP) ## Show what was changed behind STACK's back and take it over into the state
	@$(REVIEW) refresh --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

drift: $(STAMP) ## Say whether the cloud is as STACK declares it; fails when it is not and changes nothing
	@$(REVIEW) drift --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

bootstrap: $(STAMP) ## Set up the project of STACK, once, before `up`; TARGET as there
	@$(REVIEW) up --program bootstrap --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

bootstrap-migrate: $(STAMP) ## Move bootstrap's own state of STACK into its bucket (TARGET=gcp; the sandbox rehearses it)
	@$(REVIEW) bootstrap-migrate --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

bootstrap-config: $(STAMP) ## Write bootstrap's secrets provider into the file of STACK (TARGET=gcp; the sandbox shows it)
	@$(REVIEW) bootstrap-config --stack '$(STACK)' --target '$(TARGET)'

diff: $(STAMP) ## Show what the working tree does to every stack, compared with revision BASE
	@$(REVIEW) diff --base '$(BASE)' $(ARGS)

waf: $(STAMP) ## Prove the Cloud Armor policy of STACK (prod when left out) on the corpus, or on CORPUS; report in build/waf
	@$(REVIEW) waf $(if $(filter file,$(origin STACK)),,--stack '$(STACK)') --output build/waf $(if $(CORPUS),--corpus '$(CORPUS)') $(ARGS)

contract: $(STAMP) ## Write the contract with the service's images: docs/service-contract.md, docs/contract.json
	@$(REVIEW) contract $(ARGS)

release: $(STAMP) ## Walk the new revision of STACK to all traffic, or back (TARGET=gcp; else it only says so); ARGS=back, hold, status
	@REVIEW='$(REVIEW)' $(BIN)/python -m operations.release --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

contract-check: $(STAMP) ## Ask a running image at URL for what the contract of STACK says; CONTRACT_TOKEN: the synthetic user's
	@$(REVIEW) contract-check --url '$(URL)' --stack '$(STACK)' $(ARGS)

rotate: $(STAMP) ## Rotate SECRET of STACK (TARGET=gcp sends it); CONFIRMED=N: a key you tried; AT_ONCE=true: in its grace
	@REVIEW='$(REVIEW)' operations/rotation/publish.sh '$(TARGET)' '$(STACK)' '$(SECRET)' SECRET_ROTATE '$(CONFIRMED)' '$(AT_ONCE)'

rotate-rollback: $(STAMP) ## Bring the version before of SECRET of STACK into use again, within its grace period
	@REVIEW='$(REVIEW)' operations/rotation/publish.sh '$(TARGET)' '$(STACK)' '$(SECRET)' AIPROD_ROLLBACK

replay: $(STAMP) ## Look at the dead letters of QUEUE (TARGET=gcp); RUN=true EXPECT=N moves them back; ARGS='--older-than 2h'
	@REVIEW='$(REVIEW)' PYTHON='$(BIN)/python' operations/replay/replay.sh '$(TARGET)' '$(STACK)' '$(QUEUE)' '$(RUN)' '$(EXPECT)' $(ARGS)

rotate-cache: $(STAMP) ## Change the cache's AUTH string, an outage: with TARGET=gcp CONFIRM=outage, else it only says so
	@MAKE='$(MAKE)' REVIEW='$(REVIEW)' operations/rotation/cache_auth.sh '$(TARGET)' '$(STACK)' '$(CONFIRM)'

sleep: $(STAMP) ## Stop database and workers of STACK now, not only by schedule: with TARGET=gcp, else it only says so
	@REVIEW='$(REVIEW)' operations/office_hours/run.sh '$(TARGET)' '$(STACK)' stop

wake: $(STAMP) ## Start database and workers of STACK again: with TARGET=gcp, else it only says so
	@REVIEW='$(REVIEW)' operations/office_hours/run.sh '$(TARGET)' '$(STACK)' start

cut-over: $(STAMP) ## Do STEP of the database's cut-over with SETTINGS; docs/runbooks/database-cut-over.md
	@$(BIN)/python -m operations.cut_over '$(STEP)' --settings '$(SETTINGS)' $(ARGS)

cut-over-rehearsal: $(STAMP) ## Rehearse the cut-over and its way back on two PostgreSQL servers of this machine
	@$(BIN)/python -m tests.operations.cut_over.rehearsal $(ARGS)

migrate: $(STAMP) ## Run the job that migrates the schema of STACK and wait (TARGET=gcp; the sandbox says what it would run)
	@$(REVIEW) migrate --stack '$(STACK)' --target '$(TARGET)' $(ARGS)

attest: $(STAMP) ## Say that STACK has verified the digest of IMAGE that it runs (TARGET=gcp; the sandbox rehearses it)
	@$(REVIEW) attest --stack '$(STACK)' --image '$(IMAGE)' --target '$(TARGET)'

promote: $(STAMP) ## Write the digest of IMAGE, verified in FROM, into the stack file TO and attest it (TARGET=gcp; else rehearsed)
	@$(REVIEW) promote --from '$(FROM)' --to '$(TO)' --image '$(IMAGE)' --target '$(TARGET)'

region-loss: $(STAMP) ## Lose REGION (the first one when left out) of STACK in the sandbox: what remains, which steps follow, each played
	@$(REVIEW) region-loss --stack '$(STACK)' --target '$(TARGET)' $(if $(REGION),--region '$(REGION)') $(ARGS)

database-roles: $(STAMP) ## Set who may do what in DATABASE of STACK, of INSTANCE where it has several (TARGET=gcp; else it says what it would do)
	@REVIEW='$(REVIEW)' operations/database/roles.sh '$(TARGET)' '$(STACK)' '$(INSTANCE)' '$(DATABASE)'

database-check: $(STAMP) ## Check the indexes of the database that PGHOST, PGDATABASE, PGUSER and the like name
	@$(BIN)/python -m operations.database.check $(ARGS)

test: $(STAMP) ## Run all tests, on every core; ARGS='-n0 -k name' runs some in one process
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

faults: $(STAMP) ## Put every kind of fault at every call of the dev deployment (minutes)
	@FAULTS=every $(BIN)/python -m pytest tests/sandbox/faults $(ARGS)

check: static test ## Format, lint, types, import directions, workflows, shell scripts and all tests

static: format-check lint types imports workflows shell ## Everything of `check` but the tests

format-check: $(STAMP)
	@$(BIN)/ruff format --check .

lint: $(STAMP)
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(STAMP)
	@$(BIN)/python -m pytest -q tests/test_import_direction.py

workflows: $(STAMP)
	@$(BIN)/zizmor --offline --no-progress --quiet .github/workflows
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

shell: $(STAMP)
	@$(BIN)/shellcheck $(SCRIPTS)

golden: $(STAMP) ## Write the real CLI's steps anew (needs the Pulumi CLI on PATH)
	@$(BIN)/python -m tests.sandbox.engine.golden

bench: $(STAMP) ## Measure, print ratios, write build/bench.json
	@$(BIN)/python -m bench $(ARGS)

fmt: $(STAMP) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove the virtual environment, caches and build products; the sandbox's state stays
	@rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
