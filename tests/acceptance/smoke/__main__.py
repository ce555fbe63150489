"""Looks at a deployment from outside: python -m tests.acceptance.smoke --base-url https://atom.example ...

Everything goes through the public API and the command line, with people of different roles. Without `--base-url` it
starts an instance of its own on this machine. The exit code is pytest's: 0 if all of it works.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def main(arguments: list[str]) -> int:
    """Runs the suite with the given options; see `--help`."""
    return int(pytest.main([str(Path(__file__).parent), "-p", "no:cacheprovider", "-v", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
