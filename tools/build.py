"""Builds the real servers and tools that tests run against, from source, pinned by version and checksum.

    python tools/build.py            build what is missing, one after another
    python tools/build.py cosign     only the named ones
    python tools/build.py --list     show what there is and where

Binaries go to `$XDG_CACHE_HOME/atomctl-tools/NAME-VERSION/NAME`; Go's own caches are temporary and removed, since they
take gigabytes. The checksum in the table pins the module (the `h1:` hash of its zip), its own `go.sum` pins all
it depends on; so no checksum database is asked, and a proxy that hands out other bytes is refused. Kubernetes is a
program of this tree that is made of modules, all of them pinned by the `go.sum` beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

KUBE = Path(__file__).parent / "kubernetes" / "kube"
_NO_DWARF = "-gcflags=all=-dwarf=false"
"""The same for every tool, so that what two of them are made of is compiled once."""
_PIN = re.compile(r"^\tk8s\.io/kubernetes (?P<version>v\d+\.\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GoTool:
    """A command of a Go module: a new one is one more row in `TOOLS`."""

    name: str
    module: str
    version: str
    checksum: str
    """What `go mod download -json MODULE@VERSION` calls `Sum`."""
    package: str
    """The command's folder inside the module."""

    @property
    def binary(self) -> Path:
        """Where the built command lies, or would lie."""
        return cache() / f"{self.name}-{self.version.removeprefix('v')}" / self.name

    @property
    def flags(self) -> tuple[str, ...]:
        """What `go build` is told."""
        return (_NO_DWARF, "-ldflags", "-s -w")


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """All programs of a one-node Kubernetes in one binary, which is each of them by the name it is called by."""

    version: str
    """That of k8s.io/kubernetes in `go.mod`, the one place where it stands."""
    name: str = "kubernetes"
    package: str = "."
    programs: tuple[str, ...] = (
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
        "coredns",
    )

    @property
    def binary(self) -> Path:
        """Where the built binary lies, or would lie."""
        return cache() / f"{self.name}-{self.version.removeprefix('v')}" / "kube"

    def program(self, name: str) -> Path:
        """Where the program called `name` lies: a link to the binary."""
        assert name in self.programs
        return self.binary.with_name(name)

    @property
    def flags(self) -> tuple[str, ...]:
        """What `go build` is told: the version that the programs report, as Kubernetes' own build stamps it."""
        major, minor, _ = self.version.removeprefix("v").split(".")
        stamps = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
        packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        stamped = [f"-X {package}.{name}={value}" for package in packages for name, value in stamps.items()]
        return (_NO_DWARF, "-ldflags", " ".join(["-s -w", *stamped]))


Tool: TypeAlias = GoTool | Kubernetes


def _kubernetes() -> Kubernetes:
    pin = _PIN.search((KUBE / "go.mod").read_text())
    assert pin is not None, "go.mod requires k8s.io/kubernetes"
    return Kubernetes(pin["version"])


KUBERNETES = _kubernetes()
TOOLS: tuple[Tool, ...] = (
    GoTool(
        "cosign",
        "github.com/sigstore/cosign/v3",
        "v3.1.2",
        "h1:AlWkztipzFHLGfLECkUwcC2a2EbpzKOsElge1vcRNcs=",
        "./cmd/cosign",
    ),
    GoTool(
        "versitygw",
        "github.com/versity/versitygw",
        "v1.8.0",
        "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=",
        "./cmd/versitygw",
    ),
    GoTool(
        "compose-spec",
        "github.com/compose-spec/compose-go/v2",
        "v2.16.2",
        "h1:pTp1DqQwJzFd85GzlWsSszKA1ABrV/ySqsClujIcWA8=",
        "./cmd",
    ),
    GoTool(
        "helm",
        "helm.sh/helm/v4",
        "v4.2.4",
        "h1:qIysMI0JpTC4WXf3AQ99V6rZGT0+gO0Ww8IOnnUnaZk=",
        "./cmd/helm",
    ),
    KUBERNETES,
)


class BuildError(Exception):
    """A tool cannot be built; the message says what to do."""


def cache() -> Path:
    """The folder of all built tools."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "atomctl-tools"


def tool(name: str) -> Tool:
    """The row called `name`."""
    return next(each for each in TOOLS if each.name == name)


def build(wanted: Tool, go: str, scratch: Path) -> None:
    """Builds one tool; its binary appears whole or not at all. What Go compiled stays in `scratch` for the next one."""
    wanted.binary.parent.mkdir(parents=True, exist_ok=True)
    environment = go_environment(scratch)
    folder = KUBE if isinstance(wanted, Kubernetes) else _download(wanted, go, environment)
    built = scratch / wanted.name
    _compile(wanted, go, folder, built, environment)
    if isinstance(wanted, Kubernetes):
        _link(wanted)
    built.replace(wanted.binary)


def _link(wanted: Kubernetes) -> None:
    for name in wanted.programs:
        wanted.program(name).unlink(missing_ok=True)
        wanted.program(name).symlink_to(wanted.binary.name)


def go_environment(scratch: Path) -> dict[str, str]:
    """For Go, with its caches in `scratch` and nothing taken from elsewhere than the pinned modules."""
    own = {
        "GOPATH": str(scratch / "path"),
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOSUMDB": "off",  # the table and go.sum pin every byte
        "GOTOOLCHAIN": "local",  # a toolchain fetched on the side would not be pinned
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    return {**os.environ, **own}


def _download(wanted: GoTool, go: str, environment: dict[str, str]) -> Path:
    """The module's folder, with its checksum compared."""
    command = [go, "mod", "download", "-json", f"{wanted.module}@{wanted.version}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=cache())
    if done.returncode != 0:
        raise BuildError(f"{wanted.module} cannot be downloaded: {done.stdout.strip() or done.stderr.strip()}")
    module = json.loads(done.stdout)
    if module["Sum"] != wanted.checksum:
        raise BuildError(f"{wanted.module}@{wanted.version} has checksum {module['Sum']}, {wanted.checksum} is pinned")
    return Path(module["Dir"])


def _compile(wanted: Tool, go: str, folder: Path, built: Path, environment: dict[str, str]) -> None:
    command = [go, "build", "-v", *wanted.flags, "-o", str(built), wanted.package]
    started, said, lines = time.monotonic(), 0.0, []
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            elapsed = time.monotonic() - started
            if elapsed - said >= 10:
                said = elapsed
                _say(f"  {wanted.name}: {len(lines)} modules and packages, {elapsed:.0f} s")
    if process.returncode != 0:
        raise BuildError(f"{wanted.name} does not build:\n{''.join(lines[-15:])}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _build_missing(wanted: list[Tool]) -> int:
    missing = [each for each in wanted if not each.binary.exists()]
    for each in wanted:
        if each not in missing:
            _say(f"{each.name} {each.version}: there, {each.binary}")
    if not missing:
        return 0
    go = shutil.which("go")
    if go is None:
        _say(f"Go is needed to build {', '.join(each.name for each in missing)}: install it from https://go.dev/dl")
        return 3
    os.nice(10)
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="go-", dir=cache()) as scratch:
        for each in missing:
            _say(f"{each.name} {each.version}: building, a few minutes")
            started = time.monotonic()
            build(each, go, Path(scratch))
            _say(f"{each.name} {each.version}: built in {time.monotonic() - started:.0f} s, {each.binary}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the pinned tools that tests use.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(each.name for each in TOOLS)}")
    parser.add_argument("--list", action="store_true", help="show what there is and where")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {each.name for each in TOOLS}
    if unknown:
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    wanted = [each for each in TOOLS if not arguments.names or each.name in arguments.names]
    if arguments.list:
        for each in wanted:
            print(
                f"{each.name:<12} {each.version:<10} {'built' if each.binary.exists() else 'missing':<8} {each.binary}"
            )
        return 0
    try:
        return _build_missing(wanted)
    except BuildError as error:
        _say(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
