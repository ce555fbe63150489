# Every target does its own set-up and asks nothing. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Tests with real servers wait more than they compute: one process more than there are cores keeps them busy.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# In the order of the command line: long files first, so that no process is left alone with one of them at the end.
SIDE_BY_SIDE = -n $(WORKERS) --dist loadfile --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt requirements/model.txt pyproject.toml tools/setup.sh
	@PYTHON="$(PYTHON)" tools/setup.sh

.PHONY: dev
dev: $(READY) ## set up .venv with everything a developer needs

.PHONY: demo
demo: $(READY) ## show the main job on a temporary instance, in under a minute
	@$(BIN)/atomctl demo

.PHONY: test
test: $(READY) ## all tests, fast ones first
	@$(BIN)/python -m pytest -n auto tests/unit tests/property tests/sabotage
	@tools/try_twice.sh $(SIDE_BY_SIDE) -m "not kubernetes" tests/acceptance tests/integration
	@tools/try_twice.sh -m "not kubernetes" tests/chaos
	@$(BIN)/python -m tests.acceptance.end_to_end smoke starters cluster outages

.PHONY: lint
lint: $(READY) ## style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: fix
fix: $(READY) ## mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: types
types: $(READY) ## strict type check
	@$(BIN)/mypy

.PHONY: arch
arch: $(READY) ## the layer contract
	@$(BIN)/lint-imports

.PHONY: docs
docs: $(READY) ## write the generated reference pages anew
	@$(BIN)/python -m docs.generate

.PHONY: docs-check
docs-check: docs
	@git diff --exit-code -- docs deploy/prometheus deploy/grafana deploy/helm/atom/files src/atomctl/wpk/schema || { echo "generated pages differ from the code: commit what 'make docs' wrote"; exit 1; }

.PHONY: bench
bench: $(READY) ## benchmarks, each beside a baseline measured in the same run
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

.PHONY: tools
tools: $(READY) ## get the servers and tools of the tests into a cache outside the tree (minutes cold, then nothing)
	@$(BIN)/python -m tools.build
	@$(BIN)/python -m tools.debian
	@$(BIN)/python -m tools.kubernetes.images
	@$(BIN)/python -m tools.airflow

.PHONY: airflow
airflow: $(READY) ## set up Airflow in an environment of its own, which the test of deploy/airflow runs (half a minute)
	@$(BIN)/python -m tools.airflow

.PHONY: node
node: $(READY) ## start a one-node Kubernetes, print KUBECONFIG, stay until Ctrl-C (root)
	@$(BIN)/python -m tools.build kubernetes
	@$(BIN)/python -m tools.debian
	@$(BIN)/python -m tools.kubernetes.images
	@exec $(BIN)/python -m tests.servers.kubernetes

.PHONY: e2e
e2e: $(READY) ## install the chart on a real one-node Kubernetes and pass the smoke suite and the starter packages (root)
	@$(BIN)/python -m tests.acceptance.end_to_end $(SUITES)

.PHONY: life
life: $(READY) ## upgrade and uninstall a release on the node, kill its pods and API server (root, a quarter of an hour)
	@tools/try_twice.sh -m own_node tests/integration
	@tools/try_twice.sh -m kubernetes tests/acceptance/release tests/chaos

.PHONY: stack
stack: $(READY) ## start OpenBao, S3, Prometheus, Alertmanager and PostgreSQL 15, print their environment, stay until Ctrl-C
	@$(BIN)/python -m tools.build versitygw
	@$(BIN)/python -m tools.debian
	@exec $(BIN)/python -m tests.servers.stack

.PHONY: controls
controls: $(READY) ## check the twelve controls on a deployment on real servers; the evidence goes to reports/
	@$(BIN)/python -m tools.build cosign versitygw
	@$(BIN)/python -m tools.debian
	@$(BIN)/python -m tests.servers.deployment --reports reports

.PHONY: sabotage
sabotage: $(READY) ## break the product in each of the ways in tests/sabotage/patches; exactly that control must fail
	@$(BIN)/python -m tools.build cosign versitygw
	@$(BIN)/python -m tools.debian
	@$(BIN)/python -m tests.sabotage.campaign

.PHONY: lock
lock: $(READY) ## resolve the pinned, hashed requirements anew from pyproject.toml
	@tools/lock.sh

.PHONY: ci
ci: $(READY) ## exactly what continuous integration runs
	@$(MAKE) --no-print-directory lint types arch docs-check
	@$(MAKE) --no-print-directory tools
	@ATOM_REQUIRE_TOOLS=1 $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory controls sabotage
	@$(MAKE) --no-print-directory demo

.PHONY: clean
clean: ## remove what the targets made inside the tree
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build reports
