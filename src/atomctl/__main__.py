"""`python -m atomctl`: the command line."""

import sys

from atomctl.cli.main import run

sys.exit(run())
