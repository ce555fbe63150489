"""One content has one archive, and an archive has one content."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.fakes.raw_tar import MANIFEST

from atomctl.errors import AtomError
from atomctl.wpk import member_names, tar
from atomctl.wpk.archive import FileEntry, Source, extract, load_source, pack, unpack

letters = st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), exclude_characters="/\\")
segments = st.text(letters, min_size=1, max_size=40).map(lambda text: unicodedata.normalize("NFC", text))
names = st.tuples(st.sampled_from(member_names.FOLDERS), st.lists(segments, min_size=1, max_size=5)).map(
    lambda parts: "/".join((parts[0], *parts[1]))
)
entries = st.builds(FileEntry, st.binary(max_size=1200), st.booleans())


def allowed(files: dict[str, FileEntry]) -> bool:
    try:
        for name in files:
            member_names.check_name(name)
        member_names.check_distinct(files)
    except AtomError:
        return False
    return True


sources = st.dictionaries(names, entries, max_size=12).filter(allowed)


@settings(max_examples=100, deadline=None)
@given(files=sources, order=st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter_and_what_is_packed_comes_back(
    files: dict[str, FileEntry], order: random.Random
) -> None:
    files = {**files, "wpk.yaml": FileEntry(MANIFEST)}
    shuffled = list(files.items())
    order.shuffle(shuffled)
    packed = pack(Source(files))
    assert pack(Source(dict(shuffled))).data == packed.data
    package = unpack(packed.data)
    assert package.files == files
    assert package.digest == packed.digest
    assert pack(Source(package.files)).data == packed.data


@settings(max_examples=25, deadline=None)
@given(
    files=sources,
    umask=st.sampled_from([0o000, 0o022, 0o027, 0o077]),
    order=st.randoms(use_true_random=False),
    mtime=st.integers(0, 2**33),
)
def test_umask_times_and_the_order_of_writing_do_not_change_the_digest(
    files: dict[str, FileEntry], umask: int, order: random.Random, mtime: int
) -> None:
    files = {**files, "wpk.yaml": FileEntry(MANIFEST)}
    assume(all(len(os.fsencode(segment)) < 200 for name in files for segment in name.split("/")))
    shuffled = list(files.items())
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        before = os.umask(umask)
        try:
            for name, entry in shuffled:
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(entry.data)
                path.chmod((0o755 if entry.executable else 0o644) & ~umask | (0o100 if entry.executable else 0))
                os.utime(path, (mtime, mtime))
        finally:
            os.umask(before)
        loaded = pack(load_source(Path(folder)))
        with tempfile.TemporaryDirectory() as other:
            extract(loaded.package, Path(other, "again"))
            again = pack(load_source(Path(other, "again")))
    assert loaded.digest == again.digest == pack(Source(files)).digest


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C.UTF-8"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"},
    ],
)
def test_the_locale_does_not_change_the_digest(environment: dict[str, str], tmp_path: Path) -> None:
    files = {
        "wpk.yaml": MANIFEST,
        "files/Ärger.txt": b"x",
        "files/\N{LATIN SMALL LETTER DOTLESS I}": b"y",
        "files/日本": b"z",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from atomctl.wpk.archive import load_source, pack;"
        "print(pack(load_source(Path(sys.argv[1]))).digest)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == pack(Source({name: FileEntry(data) for name, data in files.items()})).digest


@settings(max_examples=100, deadline=None)
@given(files=sources, data=st.data())
def test_no_changed_byte_of_an_archive_goes_unnoticed(files: dict[str, FileEntry], data: st.DataObject) -> None:
    packed = pack(Source({**files, "wpk.yaml": FileEntry(MANIFEST)}))
    at = data.draw(st.integers(0, len(packed.data) - 1))
    byte = data.draw(st.integers(1, 255))
    changed = bytearray(packed.data)
    changed[at] ^= byte
    try:
        package = unpack(bytes(changed))
    except AtomError:
        return
    # Another content, or another valid header: then it is another package, and one that packs to itself.
    assert package.digest != packed.digest
    assert tar.write(package.files) == bytes(changed)


@settings(max_examples=100, deadline=None)
@given(files=sources, cut=st.integers(1, 3000), extra=st.binary(min_size=1, max_size=600))
def test_nothing_shorter_and_nothing_longer_is_accepted(files: dict[str, FileEntry], cut: int, extra: bytes) -> None:
    packed = pack(Source({**files, "wpk.yaml": FileEntry(MANIFEST)}))
    for other in (packed.data[:-cut], packed.data + extra):
        with pytest.raises(AtomError):
            unpack(other)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_make_the_reader_fail_in_another_way_than_by_refusing(data: bytes) -> None:
    with pytest.raises(AtomError):
        unpack(data)
    with pytest.raises(AtomError):
        unpack(data[:257] + b"ustar\x0000" + data[257:])


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=60))
def test_a_path_is_either_refused_or_harmless(name: str) -> None:
    try:
        member_names.check_name(name)
    except AtomError:
        return
    assert Path("/target", name).resolve().is_relative_to("/target")
    assert name.split("/", maxsplit=1)[0] in (*member_names.FOLDERS, *member_names.TOP_FILES)
    assert unicodedata.is_normalized("NFC", name)
