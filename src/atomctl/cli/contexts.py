"""Contexts: named pairs of an instance and an identity, one small JSON file each.

Those of an instance on this machine lie in its home (`$ATOM_HOME/contexts/`), those of remote instances in the user's
configuration (`$XDG_CONFIG_HOME/atomctl/contexts/`); the home is looked at first. The file `current` beside them names
the one in use. Tokens lie in files of their own, mode 0600, and never in a context.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from atomctl.cli import codes
from atomctl.errors import AtomError
from atomctl.files import replace_file
from atomctl.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")


def folders(home: Path) -> tuple[Path, Path]:
    """Where contexts are looked for, first match wins."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return home / "contexts", Path(config) / "atomctl" / "contexts"


def current_name(home: Path) -> str | None:
    """The name of the context in use, or None when none was chosen."""
    for folder in folders(home):
        try:
            return _checked((folder / "current").read_text(encoding="utf-8").strip())
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def find(home: Path, name: str) -> Path | None:
    """The file of the context `name`, or None."""
    _checked(name)
    for folder in folders(home):
        if (folder / f"{name}.json").is_file():
            return folder / f"{name}.json"
    return None


def names(home: Path) -> list[str]:
    """All contexts there are, sorted."""
    return sorted({file.stem for folder in folders(home) for file in folder.glob("*.json")})


def save(folder: Path, name: str, *, api_url: str, token: str | None) -> Path:
    """Writes a context and, beside it, its token; each file appears whole, mode 0600."""
    _checked(name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {"api_url": api_url}
    if token is not None:
        token_file = folder / f"{name}.token"
        replace_file(token_file, token.encode())
        values["token_file"] = str(token_file)
    file = folder / f"{name}.json"
    replace_file(file, json.dumps(values, indent=2).encode() + b"\n")
    return file


def readdress(folder: Path, api_url: str) -> None:
    """All contexts of a home lead to `api_url` afterwards: an instance may listen elsewhere at each start."""
    for file in folder.glob("*.json"):
        values = json.loads(file.read_bytes())
        replace_file(file, json.dumps({**values, "api_url": api_url}, indent=2).encode() + b"\n")


def use(folder: Path, name: str) -> None:
    """Makes `name` the context that is used when none is named."""
    replace_file(folder / "current", f"{_checked(name)}\n".encode())


def read_token(settings: Settings) -> str | None:
    """The access token of the settings' token file, or None when none is set."""
    if settings.token_file is None:
        return None
    return settings.token_file.read_text(encoding="ascii").strip()


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AtomError(codes.USAGE, f"{name[:80]!r} is not a context name", hint="letters, digits and . _ @ -")
    return name
