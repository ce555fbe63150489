"""`validate --fix`: mends the files of a source folder."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from atomctl.cli import codes
from atomctl.cli.package_source import open_package
from atomctl.errors import AtomError
from atomctl.files import replace_file


def fix_source(source: Path) -> list[str]:
    """The source's files are mended on disk afterwards; one line for each finding that is gone.

    Raises:
        AtomError: CLI001 a packed file is never changed, WPK1xx the source is no package.
    """
    from atomctl import rules
    from atomctl.rules.fixes import fix_file

    if source.suffix == ".wpk":
        raise AtomError(
            codes.USAGE, f"{source} is packed; what is signed does not change", hint="fix its source folder"
        )
    findings = rules.run(open_package(source)).findings
    done = []
    for name, group in groupby(findings, key=lambda finding: finding.file):
        path = source / name if source.is_dir() else source
        text = path.read_bytes().decode()
        mended, fixed = fix_file(text, list(group))
        if fixed:
            replace_file(path, mended.encode(), mode=path.stat().st_mode & 0o777)
        done += [f"{finding.file}:{finding.line}: {finding.rule}" for finding in fixed]
    return done
