"""Bytes of the ONNX format, against what Protocol Buffers' own description says they are."""

from __future__ import annotations

from atomctl.embedding.onnx_format import Element, elsewhere, inline, model, node, value


def test_a_node_is_written_as_protocol_buffers_say() -> None:
    written = node("Add", ["a", ""], ["c"], domain="d", axis=-1)
    assert written == (
        b"\x0a\x01a" + b"\x0a\x00" + b"\x12\x01c" + b"\x1a\x01c" + b"\x22\x03Add"
        b"\x2a\x14" + b"\x0a\x04axis" + b"\x18" + b"\xff" * 9 + b"\x01" + b"\xa0\x01\x02"
        b"\x3a\x01d"
    )


def test_attributes_are_numbers_of_both_kinds_and_lists() -> None:
    assert b"\x15\x00\x00\x00\x3f\xa0\x01\x01" in node("X", [], ["y"], scale=0.5)
    assert b"\x40\x01\x40\xac\x02\xa0\x01\x07" in node("X", [], ["y"], axes=[1, 300])


def test_a_tensor_is_in_the_graph_or_names_its_place() -> None:
    assert inline("t", Element.FLOAT, (2, 1), b"12345678") == b"\x08\x02\x08\x01\x10\x01\x42\x01t\x4a\x0812345678"
    there = elsewhere("t", Element.FLOAT, (300,), {"offset": "8"})
    assert there == b"\x08\xac\x02\x10\x01\x42\x01t" + b"\x6a\x0b\x0a\x06offset\x12\x018" + b"\x70\x01"


def test_a_size_is_a_number_or_a_word() -> None:
    assert value("v", Element.INT32, ("n", 3)) == (
        b"\x0a\x01v\x12\x0f\x0a\x0d\x08\x06\x12\x09\x0a\x03\x12\x01n\x0a\x02\x08\x03"
    )


def test_a_model_names_its_version_its_graph_and_the_operators_it_uses() -> None:
    written = model("g", inputs=[b"i"], outputs=[b"o"], nodes=[b"n"], tensors=[b"t"])
    graph = b"\x0a\x01n" + b"\x12\x01g" + b"\x2a\x01t" + b"\x5a\x01i" + b"\x62\x01o"
    assert written.startswith(b"\x08\x08" + b"\x12\x07atomctl" + b"\x3a\x0f" + graph)
    assert written.endswith(b"\x42\x04\x0a\x00\x10\x11" + b"\x42\x11\x0a\x0dcom.microsoft\x10\x01")
