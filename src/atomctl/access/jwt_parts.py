"""Reads the parts of a compact JWT strictly, before and after its signature is checked.

RFC 7515 section 4 leaves duplicate names to the parser and RFC 7519 lets a header carry keys; both are refused here, so
that no two readers of one token can see different things. Nothing read here is trusted until `tokens` has verified it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from atomctl.access import codes
from atomctl.errors import AtomError

SIZE_LIMIT = 8 * 1024
"""Bytes of a whole token; a directory that needs more must send fewer groups."""

FORBIDDEN_HEADERS = frozenset({"jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc"})
_TYPES = frozenset({"jwt", "at+jwt"})
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True, slots=True)
class Peeked:
    """What an unverified token says about itself: enough to choose the issuer and the key, and no more."""

    algorithm: str
    key_id: str
    issuer: str


def peek(token: str) -> Peeked:
    """Reads the header and the `iss` of a token of at most `SIZE_LIMIT` bytes.

    Raises:
        AtomError: AUT002 not a well-formed JWT, AUT003 a header that brings keys or redefines processing, AUT009 `alg`,
            `kid` or `iss` is missing.
    """
    if len(token) > SIZE_LIMIT:
        raise AtomError(codes.MALFORMED_TOKEN, f"{len(token)} characters, at most {SIZE_LIMIT} are read")
    parts = token.split(".")
    if len(parts) != 3 or not parts[1]:
        raise AtomError(codes.MALFORMED_TOKEN, f"{len(parts)} parts separated by dots, not 3")
    header = read_object(_decode(parts[0], "header"), "header")
    _check_header(header)
    payload = read_object(_decode(parts[1], "payload"), "payload")
    return Peeked(_text(header, "alg"), _text(header, "kid"), _text(payload, "iss"))


def read_object(data: bytes, part: str) -> dict[str, Any]:
    """`data` as a JSON object whose names are distinct on every level.

    Raises:
        AtomError: AUT002 it is not UTF-8 JSON, not an object, or repeats a name.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AtomError(codes.MALFORMED_TOKEN, f"the {part} is not JSON that can be read: {error}") from error
    if not isinstance(value, dict):
        raise AtomError(codes.MALFORMED_TOKEN, f"the {part} is not a JSON object")
    return value


def _check_header(header: dict[str, Any]) -> None:
    forbidden = sorted(FORBIDDEN_HEADERS & header.keys())
    if forbidden:
        raise AtomError(codes.FORBIDDEN_HEADER, f"the header holds {', '.join(forbidden)}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise AtomError(codes.MALFORMED_TOKEN, "the header `typ` is neither JWT nor at+jwt")


def _text(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise AtomError(codes.BAD_CLAIM, f"`{name}` is missing or not text")
    return value


def _decode(segment: str, part: str) -> bytes:
    if not _ALPHABET.issuperset(segment):
        raise AtomError(codes.MALFORMED_TOKEN, f"the {part} is not base64url without padding")
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise AtomError(codes.MALFORMED_TOKEN, f"the {part} is not base64url: {error}") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
