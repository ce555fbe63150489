"""What a provider's answer is taken for, and what is sent to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atomctl.embedding import codes
from atomctl.embedding.key_file import read_key
from atomctl.embedding.provider import Provider, read_answer, requests
from atomctl.errors import AtomError, Code
from atomctl.exchange import Answer


def answer(*rows: object, status: int = 200, whole: bool = True) -> Answer:
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    return Answer(status, json.dumps({"object": "list", "data": data}).encode(), whole)


def raw(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), whole=True)


def code_of(given: Answer, texts: int = 1, dimension: int = 2) -> Code:
    with pytest.raises(AtomError) as refusal:
        read_answer(given, texts, dimension)
    assert "secret" not in refusal.value.why
    return refusal.value.code


def test_vectors_come_in_the_order_of_the_texts_whatever_the_order_of_the_answer() -> None:
    rows = [{"index": 1, "embedding": [0, 5]}, {"index": 0, "embedding": [3.0, 4.0]}]
    vectors = read_answer(raw(json.dumps({"data": rows})), 2, 2)
    assert vectors.round(6).tolist() == [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer([1.0, 2.0, 3.0]), codes.WRONG_DIMENSION),
        (answer([1.0]), codes.WRONG_DIMENSION),
        (answer([]), codes.WRONG_DIMENSION),
        (answer([float("nan"), 1.0]), codes.NOT_FINITE),
        (answer([float("inf"), 1.0]), codes.NOT_FINITE),
        (answer([0, 0.0]), codes.NOT_FINITE),
        (answer([10**400, 1]), codes.NOT_FINITE),
        (raw('{"data": [{"index": 0, "embedding": [1e999, 0]}]}'), codes.NOT_FINITE),
        (answer(["1", "2"]), codes.NONSENSE),
        (answer([True, False]), codes.NONSENSE),
        (answer([None, 1.0]), codes.NONSENSE),
        (answer([[1.0, 2.0]]), codes.NONSENSE),
        (answer("AACAPwAAAEA="), codes.NONSENSE),
        (answer(), codes.NONSENSE),
        (answer([1.0, 2.0], [1.0, 2.0]), codes.NONSENSE),
        (raw('{"data": [{"index": 5, "embedding": [1, 0]}]}'), codes.NONSENSE),
        (raw('{"data": [{"index": false, "embedding": [1, 0]}]}'), codes.NONSENSE),
        (raw('{"data": [{"index": [0], "embedding": [1, 0]}]}'), codes.NONSENSE),
        (raw('{"data": [{"embedding": [1, 0]}]}'), codes.NONSENSE),
        (raw('{"data": {"0": [1, 0]}}'), codes.NONSENSE),
        (raw('{"data": null}'), codes.NONSENSE),
        (raw('{"error": "secret"}'), codes.NONSENSE),
        (raw("[]"), codes.NONSENSE),
        (raw("<html>log in</html>"), codes.NONSENSE),
        (raw("[" * 100_000), codes.NONSENSE),
        (raw(""), codes.NONSENSE),
        (Answer(200, b"\xff\xfe", whole=True), codes.NONSENSE),
        (answer([1.0, 2.0], whole=False), codes.TOO_LARGE),
        (raw("", 302), codes.REDIRECTED),
        (raw('{"error": {"message": "Incorrect key: secret", "code": "invalid_api_key"}}', 401), codes.DENIED),
        (raw("", 403), codes.DENIED),
        (raw("", 429), codes.TOO_MANY),
        (raw("", 500), codes.BROKEN),
        (raw('{"error": {"message": "secret", "type": "invalid_request_error"}}', 400), codes.REFUSED),
        (raw('{"error": {"type": "no word but a sentence with a secret"}}', 400), codes.NONSENSE),
        (raw("not found", 404), codes.NONSENSE),
        (raw("", 204), codes.NONSENSE),
    ],
)
def test_each_bad_answer_has_its_code(given: Answer, code: Code) -> None:
    assert code_of(given) is code


def test_a_vector_for_only_some_texts_is_none_for_any() -> None:
    assert code_of(answer([1.0, 0.0]), texts=2) is codes.NONSENSE


def test_texts_go_in_parts_that_a_provider_takes() -> None:
    assert [len(part) for part in requests(["a"] * 130)] == [64, 64, 2]
    assert [len(part) for part in requests(["a" * 8_000] * 17)] == [8, 8, 1]
    assert list(requests([])) == []


@pytest.mark.parametrize(
    "url",
    [
        "provider.example/v1",
        "ftp://provider.example/v1",
        "http://provider.example/v1",
        "http://10.0.0.5/v1",
        "http://127.0.0.1.example.com/v1",
        "https://user:secret@provider.example/v1",
        "https://provider.example/v1?key=secret",
        "https://provider.example/v1#secret",
        "https:///v1",
        "https://[::1/v1",
        "https://provider.example:99999/v1",
        "https://provider.example/" + "x" * 3000,
    ],
)
def test_an_address_that_would_betray_texts_or_keys_is_refused(url: str) -> None:
    with pytest.raises(AtomError) as refusal:
        Provider(url=url, model="m", dimension=2)
    assert refusal.value.code is codes.BAD_ADDRESS
    assert "secret" not in refusal.value.why


@pytest.mark.parametrize(
    "url", ["https://provider.example/v1", "http://127.0.0.1:9/v1", "http://localhost:9", "http://[::1]:9"]
)
def test_an_address_behind_tls_or_on_this_machine_is_taken(url: str) -> None:
    assert Provider(url=url, model="m", dimension=2).name.startswith("m@")


@pytest.mark.parametrize("model", ["", "a\nb", "x" * 200])
def test_a_provider_without_the_name_of_a_model_is_refused(model: str) -> None:
    with pytest.raises(AtomError) as refusal:
        Provider(url="https://provider.example/v1", model=model, dimension=2)
    assert refusal.value.code is codes.BAD_ADDRESS


def test_a_key_is_read_from_a_file_of_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-123\n")
    file.chmod(0o600)
    assert read_key(file) == "sk-123"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-123")
    file.chmod(mode)
    with pytest.raises(AtomError) as refusal:
        read_key(file)
    assert refusal.value.code is codes.BAD_KEY_FILE
    assert "sk-123" not in refusal.value.why


@pytest.mark.parametrize("data", [b"", b"\n", b"a b", b"a\r\nHost: evil", b"\xc3\xa9", b"\0", b"x" * 5000])
def test_what_could_end_a_header_is_no_key(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(data)
    file.chmod(0o600)
    with pytest.raises(AtomError) as refusal:
        read_key(file)
    assert refusal.value.code is codes.BAD_KEY_FILE


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for file in (tmp_path / "none", tmp_path):
        with pytest.raises(AtomError) as refusal:
            read_key(file)
        assert refusal.value.code is codes.BAD_KEY_FILE
