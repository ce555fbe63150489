"""The packages that `init` can start from: a small template, and the complete ones of `examples/`."""

from __future__ import annotations

from pathlib import Path

import atomctl
from atomctl.cli import codes
from atomctl.errors import AtomError

_TEMPLATES = Path(__file__).parent / "templates"
DEFAULT = "shell"


def starters() -> dict[str, Path]:
    """Every starter by name; the folder of each."""
    installed = Path(atomctl.__file__).parent / "examples"  # where the wheel puts them
    checkout = Path(atomctl.__file__).parents[2] / "examples"
    examples = installed if installed.is_dir() else checkout
    folders = [entry for base in (_TEMPLATES, examples) if base.is_dir() for entry in base.iterdir()]
    return {folder.name: folder for folder in sorted(folders) if (folder / "wpk.yaml").is_file()}


def starter(name: str) -> Path:
    """The folder of the starter `name`.

    Raises:
        AtomError: CLI015 there is none.
    """
    found = starters()
    if name not in found:
        raise AtomError(codes.NO_TEMPLATE, f"{name!r}; there are: {', '.join(found)}")
    return found[name]
