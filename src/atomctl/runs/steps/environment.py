"""The environment of a shell step: fixed paths, the parameters as data, and what the handler declares."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import StepRequest

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXY = dict.fromkeys(
    ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:3128"
)
"""How a step with declared hosts finds the way out; what a handler's `env` says instead wins."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_RESERVED = frozenset({"PATH", "HOME", "TMPDIR", "PWD"})
_VALUE_LIMIT = 128 * 1024 - 1
"""MAX_ARG_STRLEN of the kernel: one string of an environment, its name included."""
_TOTAL_LIMIT = 1024 * 1024
_COUNT_LIMIT = 1000


def build(request: StepRequest, *, home: str, output: str, package: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """Every variable the step starts with; `secrets` maps names to the files that hold them.

    A parameter that is a string is given as it is, any other as JSON; a null is not set.

    Raises:
        AtomError: RUN651 a name that is reserved, impossible or met twice, or a value that no environment can hold.
    """
    env = {
        "PATH": PATH,
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "ATOM_OUTPUT": output,
        "ATOM_PACKAGE": package,
        "ATOM_STEP": request.step_name,
        "ATOM_ATTEMPT_ID": str(request.attempt_id),
    }
    if request.idempotency_key is not None:
        env["ATOM_IDEMPOTENCY_KEY"] = request.idempotency_key
    for name, value in _parameters(request.parameters).items():
        _add(env, name, value)
    for name, file in secrets.items():
        _add(env, f"ATOM_SECRET_{_shout(name)}_FILE", file)
    for name, value in request.env.items():
        if name.startswith("ATOM_") or name in _RESERVED:
            raise AtomError(codes.BAD_CONFIG, f"env {name}: this name is ATOM's own")
        _add(env, name, value)
    if len(env) > _COUNT_LIMIT or sum(len(name) + len(value.encode()) for name, value in env.items()) > _TOTAL_LIMIT:
        raise AtomError(codes.BAD_CONFIG, f"the environment has over {_COUNT_LIMIT} names or {_TOTAL_LIMIT} bytes")
    return env


def _parameters(parameters: Mapping[str, Json]) -> dict[str, str]:
    env: dict[str, str] = {}
    for name, value in parameters.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)
            _add(env, f"ATOM_PARAM_{_shout(name)}", text)
    return env


def _shout(name: str) -> str:
    return re.sub(r"[-.]", "_", name).upper()


def _add(env: dict[str, str], name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise AtomError(codes.BAD_CONFIG, f"env {name[:80]!r} is not a name that an environment can hold")
    if name in env:
        raise AtomError(codes.BAD_CONFIG, f"env {name} is set twice, by names that differ in case, `-` or `.` alone")
    try:
        size = len(name) + 1 + len(value.encode())
    except UnicodeEncodeError as error:
        raise AtomError(codes.BAD_CONFIG, f"env {name}: the value is not Unicode text") from error
    if "\0" in value or size > _VALUE_LIMIT:
        raise AtomError(codes.BAD_CONFIG, f"env {name}: a value holds a zero byte or more than {_VALUE_LIMIT} bytes")
    env[name] = value
