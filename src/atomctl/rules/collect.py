"""Takes a package apart into what rules look at, file by file.

Everything found keeps its source, so that any hit inside it can be placed. What cannot be read becomes a subject of
its own: there are rules about that too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomctl.errors import AtomError
from atomctl.rules import collect_objects, collect_steps
from atomctl.rules.collect_scripts import script_file
from atomctl.rules.material import Material
from atomctl.rules.scalar_text import LineMap
from atomctl.rules.secret_scan import scan
from atomctl.rules.source import TextSource, read_documents
from atomctl.rules.subjects import Unread, UnreadFacts

if TYPE_CHECKING:
    from atomctl.wpk.archive import Package

MANIFEST = "wpk.yaml"
_YAML = (".yaml", ".yml", ".json")
_BINARY_PROBE = 8192


def collect(package: Package) -> Material:
    """Everything in the package that a rule looks at."""
    into = Material()
    lines, documents = read_documents(package.manifest_bytes, MANIFEST)
    into.texts[MANIFEST] = lines
    for name in sorted(package.files):
        if name != MANIFEST:
            _file(name, package.files[name].data, into)
    into.values += (document.value for document in documents)
    collect_steps.package(package.manifest, documents[0], into)
    for name, text in into.texts.items():
        found = scan(name, text.text)
        if found.found:
            into.add(TextSource(name, text), found, name)
    return into


def _file(name: str, data: bytes, into: Material) -> None:
    if b"\0" in data[:_BINARY_PROBE]:
        into.add(TextSource(name, LineMap("")), UnreadFacts(name, Unread.BINARY, "a binary file"), name)
        return
    source = TextSource(name, LineMap(_decoded(data)))
    into.texts[name] = source.lines
    if name.startswith("manifests/") or name.endswith(_YAML):
        _manifest_file(source, data, into)
    elif name.startswith("scripts/") or name.endswith((".sh", ".bash")):
        script_file(source, into)


def _decoded(data: bytes) -> str:
    """The text of a file; one that is not UTF-8 is read byte by byte, so that it is searched all the same."""
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _manifest_file(source: TextSource, data: bytes, into: Material) -> None:
    """A file that must be YAML if it stands in `manifests/` and is called so, and may be otherwise."""
    strict = source.file.startswith("manifests/") and source.file.endswith(_YAML)
    if not strict and "kind" not in source.lines.text:
        return
    try:
        _, documents = read_documents(data, source.file)
    except AtomError as error:
        if strict:
            _unreadable(source, error, into)
        return
    for document in documents:
        into.values.append(document.value)
        collect_objects.document(document, into)


def _unreadable(source: TextSource, error: AtomError, into: Material) -> None:
    into.not_understood.append(source.file)
    place, _, why = error.why.removeprefix(source.file + ":").partition(": ")
    numbers = place.split(":")
    offset = None
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):
        offset = source.lines.offset(int(numbers[0]), int(numbers[1]))
    facts = UnreadFacts(source.file, Unread.NOT_YAML, f"{error.code.id} {why or error.why}", (), offset)
    into.add(source, facts, source.file)
