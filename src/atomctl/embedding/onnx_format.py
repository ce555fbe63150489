"""Graphs in the ONNX format, written byte by byte; the weights stay in their own file. Pure.

Source: `onnx.proto` of ONNX (the message types and field numbers below) and Protocol Buffers, "Encoding". Only what the
graph of this model needs is here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TypeAlias

IR_VERSION = 8
OPSET = 17
CONTRIBUTED = "com.microsoft"
"""The domain of the operators that ONNX Runtime adds, its fused ones among them."""

Attribute: TypeAlias = "int | float | Sequence[int]"
_VARINT, _BYTES, _FLOAT32 = 0, 2, 5
_EXTERNAL = 1


class Element(IntEnum):
    """`TensorProto.DataType`."""

    FLOAT = 1
    INT8 = 3
    INT32 = 6


class _Kind(IntEnum):
    """`AttributeProto.AttributeType`."""

    FLOAT = 1
    INT = 2
    INTS = 7


def node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], *, domain: str = "", **attributes: Attribute
) -> bytes:
    """A `NodeProto`, called by its first output; an empty name leaves an optional input out."""
    return b"".join(
        (
            *(_text(1, name) for name in inputs),
            *(_text(2, name) for name in outputs),
            _text(3, outputs[0]),
            _text(4, operator),
            *(_message(5, _attribute(name, value)) for name, value in attributes.items()),
            _text(7, domain) if domain else b"",
        )
    )


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _Kind.INT)
    if isinstance(value, float):
        return _text(1, name) + _tag(2, _FLOAT32) + struct.pack("<f", value) + _number(20, _Kind.FLOAT)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, _Kind.INTS)


def inline(name: str, element: Element, shape: Iterable[int], data: bytes) -> bytes:
    """A `TensorProto` whose little-endian data are in the graph."""
    return _tensor(name, element, shape) + _message(9, data)


def elsewhere(name: str, element: Element, shape: Iterable[int], place: Mapping[str, str]) -> bytes:
    """A `TensorProto` whose data lie in another file: `location` beside the graph, `offset` and `length` in bytes."""
    entries = b"".join(_message(13, _text(1, key) + _text(2, value)) for key, value in place.items())
    return _tensor(name, element, shape) + entries + _number(14, _EXTERNAL)


def _tensor(name: str, element: Element, shape: Iterable[int]) -> bytes:
    return b"".join(_number(1, size) for size in shape) + _number(2, element) + _text(8, name)


def value(name: str, element: Element, shape: Iterable[int | str]) -> bytes:
    """A `ValueInfoProto`; a size that is a word is known when the graph runs."""
    sizes = (_message(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape)
    tensor_type = _number(1, element) + _message(2, b"".join(sizes))
    return _text(1, name) + _message(2, _message(1, tensor_type))


def model(
    name: str, *, inputs: Iterable[bytes], outputs: Iterable[bytes], nodes: Iterable[bytes], tensors: Iterable[bytes]
) -> bytes:
    """A `ModelProto`; the nodes stand in an order in which they can be computed."""
    graph = b"".join(
        (
            *(_message(1, found) for found in nodes),
            _text(2, name),
            *(_message(5, found) for found in tensors),
            *(_message(11, found) for found in inputs),
            *(_message(12, found) for found in outputs),
        )
    )
    operators = (("", OPSET), (CONTRIBUTED, 1))
    sets = b"".join(_message(8, _text(1, domain) + _number(2, number)) for domain, number in operators)
    return _number(1, IR_VERSION) + _text(2, "atomctl") + _message(7, graph) + sets


def _tag(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, number: int) -> bytes:
    return _tag(field, _VARINT) + _varint(number)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, data: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit complement."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
