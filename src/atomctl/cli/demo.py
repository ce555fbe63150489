"""`atomctl demo`: the main job on a temporary instance.

Every line below a `$` was printed by that very command, run as a process of its own against a real server, a real
database and a real worker. A command that ends otherwise than it should ends the demo with an error.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.invocation import examples
from atomctl.cli.printing import colour
from atomctl.errors import AtomError, ExitCode
from atomctl.settings import Settings

_COMMAND_SECONDS = 60


@click.command("demo", epilog=examples("atomctl demo", "atomctl demo --keep     leave its files for a look"))
@click.option("--keep", is_flag=True, help="Leave the temporary folder when it is over.")
def command(keep: bool) -> None:
    """Show the main job on a temporary instance.

    It takes less than a minute. A package is refused because it is unsigned, one because it was tampered with, one
    because of its risk. A good one is approved by a second person and run; a step fails on demand and is rolled back;
    an auditor proves it offline.
    """
    from atomctl.cli.local_instance import LocalInstance

    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="atom-demo-"))
    folder.chmod(0o711)  # the database's own user passes through; it can list nothing
    try:
        _title("An instance of its own: PostgreSQL, API server, worker")
        settings = Settings(home=folder / "home", port=0)
        with LocalInstance(settings, lambda line: click.echo(f"  {line}")):
            _tour(_Shell(folder))
        click.echo(f"\nThat was all real, in {time.monotonic() - started:.0f} s. Your own instance: atomctl up")
    finally:
        if keep:
            click.echo(f"Left in {folder}")
        else:
            _remove(folder)


class _Shell:
    """Runs command lines in a scratch folder, prints them and what they print."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir(mode=0o700)
        self._env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ATOM_")},
            "ATOM_HOME": str(folder / "home"),
            "COSIGN_PASSWORD": "",
        }

    def __call__(self, line: str, *, expect: ExitCode = ExitCode.OK, show: int = 12) -> str:
        """Runs `atomctl <line>` and returns its standard output; at most `show` lines of it are printed.

        Raises:
            AtomError: CLI014 it ended with another exit code than `expect`.
        """
        click.echo(colour(f"$ atomctl {line}", bold=True))
        done = subprocess.run(
            [sys.executable, "-m", "atomctl", *shlex.split(line)],
            cwd=self.work,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        lines = done.stdout.rstrip().splitlines()
        for text in lines[:show]:
            click.echo(f"  {text}")
        if len(lines) > show:
            click.echo(f"  ... ({len(lines) - show} more lines)")
        if done.returncode != expect:
            raise AtomError(
                codes.DEMO_FAILED, f"atomctl {line}: exit code {done.returncode}, {int(expect)} was expected"
            )
        return done.stdout


def _tour(sh: _Shell) -> None:
    _title("A package, a signing key, and the rule that trusts it")
    sh("init hello-atom --from hello-atom")
    sh("keys generate")
    sh("keys register atom.pub --for hello-*")
    sh("pack hello-atom --out hello.wpk")

    _title("Unsigned: refused")
    sh("push hello.wpk", expect=ExitCode.UNSIGNED)

    _title("Signed, then one byte changed: refused")
    sh("sign hello.wpk --key atom.key")
    _tamper(sh.work)
    sh("push changed.wpk", expect=ExitCode.TAMPERED)

    _title("Too risky: blocked, with line and fix")
    sh("init debug-node --from privileged")
    sh("validate debug-node", expect=ExitCode.DENIED, show=40)

    _title("Signed and harmless: published")
    sh("push hello.wpk")
    sh("run hello-atom -p fail=true --dry-run")

    _title("A run waits for a second person")
    run = sh("run hello-atom -p fail=true --reason 'to see the rollback'").splitlines()[0].strip()
    sh(f"approve {run}", expect=ExitCode.AUTH)
    sh("auth login --as bob --role approver")
    sh(f"--context bob approve {run} --comment 'looks right'")

    _title("It runs; a step fails as asked; the rollback puts things back")
    sh(f"status {run} --wait --timeout 1m", show=30)
    sh(f"logs {run}")

    _title("An auditor proves it, without the server")
    sh(f"audit verify --run {run}")
    sh(f"audit export --run {run} --out run.atomaudit")
    sh("audit verify run.atomaudit --offline")
    _forge(sh.work)
    sh("audit verify forged.atomaudit --offline", expect=ExitCode.AUDIT_BROKEN)


def _title(text: str) -> None:
    click.echo(f"\n{colour('== ' + text, fg='cyan', bold=True)}")


def _tamper(work: Path) -> None:
    """A copy of the package in which one byte of a script differs, beside a copy of its bundle."""
    data = bytearray((work / "hello.wpk").read_bytes())
    position = data.index(b"hello", data.index(b"#!/bin/sh"))
    data[position : position + 1] = b"j"
    (work / "changed.wpk").write_bytes(data)
    bundle = (work / "hello.wpk.sigstore.json").read_bytes()
    (work / "changed.wpk.sigstore.json").write_bytes(bundle)
    click.echo(f"  (byte {position} of a copy is changed from 'h' to 'j')")


def _forge(work: Path) -> None:
    """A copy of the audit bundle in which one recorded word differs."""
    text = (work / "run.atomaudit").read_text(encoding="utf-8")
    (work / "forged.atomaudit").write_text(text.replace("run.rolled_back", "run.succeeded__", 1), encoding="utf-8")
    click.echo("  (in a copy, run.rolled_back is changed to run.succeeded__)")


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
