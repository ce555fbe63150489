"""Reading YAML: what it means, where it stands, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.source_yaml import ALIAS_BUDGET, MAX_BYTES, MAX_DEPTH, Position, read_yaml


def value(text: str) -> Any:
    [node] = read_yaml(text.encode(), "f.yaml")
    return node.value


def refusal(data: bytes | str) -> AtomError:
    with pytest.raises(AtomError) as error:
        read_yaml(data if isinstance(data, bytes) else data.encode(), "f.yaml")
    return error.value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("NO", False),
        ("off", False),
        ("n", False),
        ("yeS", "yeS"),
        ("~", None),
        ("null", None),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("08", 8.0),
        ("+12", 12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("190:20:30", "190:20:30"),
        ("2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"),
        ("2026-01-15", "2026-01-15"),
        ("1.2.3", "1.2.3"),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("-9223372036854775808", -(2**63)),
        ("0x1ffffffffffffffff", 2**65 - 1),
        ("_1", "_1"),
        ("--1", "--1"),
        ('"yes"', "yes"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ('!!int "12"', 12),
        ("!!float 1", 1.0),
        ("=", "="),
    ],
)
def test_a_scalar_means_what_it_means_to_kubernetes(text: str, meaning: object) -> None:
    found = value(text)
    assert found == meaning
    assert type(found) is type(meaning)


@pytest.mark.parametrize("digits", ["9" * 400, "1e999", "9" * 1_000_000])
def test_a_number_beyond_all_numbers_is_refused_in_few_words(digits: str) -> None:
    error = refusal(digits)
    assert error.code is codes.UNSUPPORTED_YAML
    assert len(error.why) < 200


def test_half_a_million_hex_digits_are_not_computed() -> None:
    assert value("0x" + "f" * 500_000) == "0x" + "f" * 500_000


def test_keys_become_text_as_in_json() -> None:
    assert value("{1: a, true: b, off: c, 0x10: d, x: e}") == {"1": "a", "true": "b", "false": "c", "16": "d", "x": "e"}


def test_json_is_yaml() -> None:
    assert value('{"a": [1, 2.5, null, true, "\\u00e9"],\n\t"b": {}}') == {"a": [1, 2.5, None, True, "é"], "b": {}}


def test_several_documents_are_read_with_positions_in_the_one_file() -> None:
    first, second, third = read_yaml(b"a: 1\n---\nb: 2\n---\n", "f.yaml")
    assert (first.value, second.value, third.value) == ({"a": 1}, {"b": 2}, None)
    assert str(second.position(("b",))) == "f.yaml:3:1"


def test_a_file_of_comments_has_no_documents() -> None:
    assert read_yaml(b"# nothing\n", "f.yaml") == []


def test_positions_are_those_an_editor_shows() -> None:
    [node] = read_yaml("é: {x: [1, {k: 2}]}\nlist:\n- a\n-  k: v\n".encode(), "f.yaml")
    assert node.position() == Position("f.yaml", 1, 1)
    assert node.position(("é", "x")) == Position("f.yaml", 1, 5)
    assert node.value_position(("é", "x")) == Position("f.yaml", 1, 8)
    assert node.position(("é", "x", 1, "k")) == Position("f.yaml", 1, 13)
    assert node.position(("list", 0)) == Position("f.yaml", 3, 3)
    assert node.position(("list", 1, "k")) == Position("f.yaml", 4, 4)


def test_a_path_that_leads_nowhere_has_the_position_of_the_deepest_that_exists() -> None:
    [node] = read_yaml(b"a:\n  b: [1]\n", "f.yaml")
    assert node.position(("a", "nope")) == node.position(("a",))
    assert node.position(("a", "b", 7, "x")) == node.position(("a", "b"))
    assert node.position(("a", 0)) == node.position(("a",))


def test_positions_do_not_move_with_crlf_byte_order_marks_or_odd_line_breaks() -> None:
    [node] = read_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml")
    assert node.position(("a",)) == Position("f.yaml", 1, 1)
    assert node.position(("b",)) == Position("f.yaml", 2, 1)
    [node] = read_yaml('a: "x\N{LINE SEPARATOR}y"\nb: 2\n'.encode(), "f.yaml")
    assert node.position(("b",)) == Position("f.yaml", 2, 1)


def test_aliases_stand_for_the_value_and_keep_their_own_position() -> None:
    [node] = read_yaml(b"a: &x {p: [1, 2]}\nb: *x\n", "f.yaml")
    assert node.value == {"a": {"p": [1, 2]}, "b": {"p": [1, 2]}}
    assert node.value_position(("b",)) == Position("f.yaml", 2, 4)
    assert node.position(("b", "p", 1)) == Position("f.yaml", 1, 15)


def test_merged_keys_give_way_to_the_mappings_own_and_point_to_where_they_are_written() -> None:
    [node] = read_yaml(b"a: &x {p: 1, q: 1}\nb: &y {q: 2, r: 2}\nc:\n  <<: [*y, *x]\n  p: 3\n", "f.yaml")
    content: Any = node.value
    assert content["c"] == {"p": 3, "q": 2, "r": 2}
    assert node.position(("c", "p")) == Position("f.yaml", 5, 3)
    assert node.position(("c", "r")) == Position("f.yaml", 2, 14)


def test_a_quoted_merge_key_is_a_key() -> None:
    assert value('{"<<": {a: 1}}') == {"<<": {"a": 1}}


@pytest.mark.parametrize("text", ["a: 1\n<<: {b: 2}", "<<: 1", "<<: [1]", "<<: {a: 1}\n<<: {b: 1}"])
def test_a_merge_that_readers_understand_differently_is_refused(text: str) -> None:
    assert refusal(text).code in {codes.UNSUPPORTED_YAML, codes.DUPLICATE_KEY}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3", "3:1"),
        ("a: {x: 1, x: 1}", "1:11"),
        ('1: a\n"1": b', "2:1"),
        ("on: a\ntrue: b", "2:1"),
        ("- a: &k v\n- {*k : 1, v: 2}", "2:12"),
        ("<<: {a: 1}\na: 2\na: 3", "3:1"),
    ],
)
def test_a_duplicate_key_is_refused_where_it_stands_again(text: str, place: str) -> None:
    error = refusal(text)
    assert error.code is codes.DUPLICATE_KEY
    assert error.why.startswith(f"f.yaml:{place}: ")


@pytest.mark.parametrize("text", ["? [a]\n: 1", "? {a: 1}\n: 1", "~: 1", "? \n: 1", "1.5: x", ".nan: 1"])
def test_a_key_that_is_not_text_is_refused(text: str) -> None:
    assert refusal(text).code is codes.UNSUPPORTED_YAML


@pytest.mark.parametrize(
    "text", [".nan", "-.inf", "1e999", "!!binary aGk=", "!Ref x", "!!set {a, b}", "!!int x", "!!map [1]"]
)
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    assert refusal(f"a: {text}").code is codes.UNSUPPORTED_YAML


@pytest.mark.parametrize(
    "text", ["a: [", 'a: "b', "a:\n\t- b", "a: b: c", "%YAML 9.9\n---\na", "a: \x01", "@a", "a: *nope"]
)
def test_broken_yaml_is_refused_with_a_position(text: str) -> None:
    error = refusal(text)
    assert error.code in {codes.SYNTAX, codes.ALIASES}
    assert error.why.startswith("f.yaml:")


@pytest.mark.parametrize("data", [b"a: \xff", b"\xff\xfea\x00", "a: é".encode("latin-1"), b"a: \xed\xa0\x80"])
def test_what_is_not_utf8_is_refused(data: bytes) -> None:
    assert refusal(data).code is codes.TEXT


def test_a_file_above_one_mebibyte_is_refused() -> None:
    assert value("#" * (MAX_BYTES - 2) + "\na") == "a"
    assert refusal("#" * MAX_BYTES + "\n").code is codes.LARGE_YAML


@pytest.mark.parametrize("opener", ["[", "{a: ", "- ", "? "])
def test_more_than_64_levels_are_refused(opener: str) -> None:
    assert refusal(opener * (MAX_DEPTH + 1)).code is codes.DEEP_YAML


@pytest.mark.parametrize("opener", ["[", "[\n", "{a: ", "- ", "? "])
def test_a_depth_bomb_does_not_crash_the_process(opener: str) -> None:
    assert refusal(opener * (MAX_BYTES // len(opener))).code is codes.DEEP_YAML


def test_64_levels_are_read() -> None:
    assert value("[" * MAX_DEPTH + "]" * MAX_DEPTH) != []


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a: &a [" + "lol, " * 9 + "lol]"]
    lines += [
        f"{new}: &{new} [" + ", ".join([f"*{old}"] * 9) + "]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert refusal("\n".join(lines)).code is codes.ALIASES


def test_one_long_text_repeated_by_aliases_is_refused() -> None:
    assert refusal("a: &a " + "x" * 1000 + "\nb: [" + "*a," * (ALIAS_BUDGET // 1000 + 1) + "]").code is codes.ALIASES


@pytest.mark.parametrize("text", ["a: &x [*x]", "&x a: {b: &y {c: *y}}", "&x {k: *x}", "x: &a 1\ny: &a [*a]"])
def test_an_alias_inside_what_it_names_is_refused(text: str) -> None:
    assert refusal(text).code is codes.ALIASES


def test_an_anchor_of_another_document_is_not_seen() -> None:
    assert refusal("a: &x 1\n---\nb: *x").code is codes.ALIASES
