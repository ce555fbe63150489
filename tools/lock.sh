#!/usr/bin/env bash
# Resolves pyproject.toml into pinned requirements with hashes and without any registry address.
# Set UPGRADE=1 to take newer versions; without it only what pyproject.toml demands changes.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet uv
options=(--quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-annotate --no-header)
[ -z "${UPGRADE:-}" ] || options+=(--upgrade)
.venv/bin/uv pip compile "${options[@]}" --extra embedded pyproject.toml -o requirements/runtime.txt
.venv/bin/uv pip compile "${options[@]}" --extra embedded --group dev pyproject.toml -o requirements/dev.txt
# What a container image holds: the same versions without extras, since its database is elsewhere.
.venv/bin/uv pip compile "${options[@]}" --constraint requirements/runtime.txt pyproject.toml -o requirements/image.txt
# Airflow, which a test runs deploy/airflow with, in an environment of its own.
.venv/bin/uv pip compile "${options[@]}" requirements/airflow.in -o requirements/airflow.txt
# sentence-transformers, which a benchmark measures beside, in an environment of its own. PyTorch names more of CUDA than
# it needs to be imported.
unneeded=(triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cuda-cccl nvidia-nvtx)
.venv/bin/uv pip compile "${options[@]}" "${unneeded[@]/#/--no-emit-package=}" \
  requirements/sentence-transformers.in -o requirements/sentence-transformers.txt
