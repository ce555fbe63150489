"""The README, the tutorial and how-to pages, line by line, as a newcomer would type them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.servers.cosign import EMPTY_ROOT, NOBODY_TO_ASK, find_cosign

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


def shell_blocks(page: str) -> str:
    """All shell blocks of a page as one script."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} has no shell block"
    return "\n".join(blocks)


def follow(
    page: str, folder: Path, programs: tuple[Path, ...] = (), *, patience: float = 150, **files: str
) -> tuple[str, Path]:
    """Runs a page's commands in an instance of its own; what they printed, and where they ran.

    Args:
        page: from the project's root.
        folder: for the instance's home and the folder the commands run in.
        programs: further folders of programs the page calls.
        patience: seconds that all of it may take.
        files: what the page takes for granted, by name (`__` stands for a dot).
    """
    script = "set -euxo pipefail\n" + shell_blocks(page).replace("atomctl up --detach", "atomctl up --detach --port 0")
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ATOM_")},
        "PATH": ":".join(map(str, (PROGRAMS, *programs, os.environ["PATH"]))),
        "ATOM_HOME": str(folder / "home"),
        "COSIGN_PASSWORD": "",
    }
    work = folder / "work"
    work.mkdir()
    for name, text in files.items():
        (work / name.replace("__", ".").replace("_", "-")).write_text(text)
    try:
        done = subprocess.run(
            ["bash", "-c", script], cwd=work, env=env, capture_output=True, text=True, timeout=patience, check=False
        )
    finally:
        subprocess.run([PROGRAMS / "atomctl", "down"], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout, work


def test_the_five_minutes_of_the_readme_work_as_written(instance_folder: Path) -> None:
    printed, work = follow("README.md", instance_folder)
    assert "SUCCEEDED" in printed
    assert (work / "run.atomaudit").stat().st_size > 0


def test_the_tutorial_works_as_written(instance_folder: Path) -> None:
    printed, _ = follow("docs/tutorial/first-package.md", instance_folder)
    assert "SUCCEEDED" in printed
    assert "ROLLED_BACK" in printed
    assert "the entries are back" in printed


def test_cosign_and_atom_take_each_others_keys_and_bundles(instance_folder: Path) -> None:
    cosign = find_cosign(instance_folder)
    printed, work = follow(
        "docs/how-to/cosign-keys.md",
        instance_folder,
        (cosign.binary.parent,),
        empty_root__json=EMPTY_ROOT.decode(),
        offline__json=NOBODY_TO_ASK.decode(),
    )
    assert "restart-web@0.1.0  accepted" in printed
    assert "revoked" in printed
    assert (work / "theirs.pub").exists()


def test_people_tokens_and_isolation_as_the_page_shows_them(instance_folder: Path) -> None:
    printed, _ = follow("docs/how-to/tenants-and-tokens.md", instance_folder)
    assert "bob: approver, security" in printed
    assert "no deviation" in printed


def test_controls_are_checked_as_the_page_shows_them(instance_folder: Path) -> None:
    printed, work = follow("docs/how-to/controls.md", instance_folder)
    assert "2 PASS, 0 FAIL, 0 BLOCKED" in printed
    assert (work / "reports" / "policy-matrix.csv").exists()
    assert "probe: 'true'" in (work / "atom.rules.yml").read_text()
