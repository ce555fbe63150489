"""PEM (RFC 7468) as strictly as key files need it: exactly one block, and nothing around it.

CRLF line ends are read, because editors make them; a byte order mark, text before the block and a second block are
not, because two readers would pick different parts.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Collection

PUBLIC = "PUBLIC KEY"
_LIMIT = 64 * 1024


def read(data: bytes, labels: Collection[str]) -> bytes:
    """The bytes inside the one PEM block of `data`, whose label must be one of `labels`.

    Raises:
        ValueError: not exactly one such block, anything before or after it, or more than 64 KiB.
    """
    if len(data) > _LIMIT:
        raise ValueError(f"more than {_LIMIT} bytes")
    try:
        lines = data.decode("ascii").replace("\r\n", "\n").strip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError("not PEM: not ASCII") from error
    label = lines[0].removeprefix("-----BEGIN ").removesuffix("-----")
    if label not in labels or lines[0] != f"-----BEGIN {label}-----":
        raise ValueError(f"not PEM of kind {' or '.join(sorted(labels))}")
    if lines[-1] != f"-----END {label}-----":
        raise ValueError("not exactly one whole PEM block")
    try:
        return base64.b64decode("".join(line.rstrip() for line in lines[1:-1]), validate=True)
    except ValueError as error:
        raise ValueError("the PEM block is not base64") from error


def write(label: str, content: bytes) -> bytes:
    """`content` as one PEM block with lines of 64 characters and a final line end."""
    body = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()
