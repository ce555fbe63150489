"""Every error code of the program, from the files that declare them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import atomctl
from atomctl import client, settings
from atomctl.errors import Code


@functools.cache
def all_codes() -> Mapping[str, Code]:
    """Every code by its id, sorted: of each domain's `codes.py`, of the settings and of the client."""
    root = Path(atomctl.__file__).parent
    found = [*settings.CODES, *client.CODES]
    for file in sorted(root.rglob("codes.py")):
        module = ".".join(("atomctl", *file.relative_to(root).with_suffix("").parts))
        found += [value for value in vars(import_module(module)).values() if isinstance(value, Code)]
    return MappingProxyType({code.id: code for code in sorted(set(found), key=lambda code: code.id)})
