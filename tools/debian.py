"""Fetches the real servers that Debian packages: unpacked into the cache beside what `tools/build.py` builds.

    python -m tools.debian              fetch what is missing
    python -m tools.debian prometheus   only the named ones
    python -m tools.debian --list       show what there is and where

Nearly all are downloaded and unpacked, which needs no root; nothing is installed, so nothing is started by the system.
apt checks each file against Debian's signed lists. PostgreSQL runs as a system user that cannot reach into root's
cache: root installs it, told to create no cluster; everybody else unpacks it too.

The versions in the table are the tested ones. Debian keeps few versions of a package at a time, so when it has gone on,
its current one is taken, which the folder's name records and `--list` shows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.build import cache

_NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/atomctl-tools.conf")
_PATIENCE = 600
"""Seconds that one call of apt may take."""


@dataclass(frozen=True, slots=True)
class DebianTool:
    """Programs of one or more packages of one version: a new one is one more row in `TOOLS`."""

    name: str
    packages: tuple[str, ...]
    version: str
    """The tested version, taken as long as Debian has it."""
    programs: tuple[str, ...]
    """Paths below the root of the packages; the tool is there if they all are."""
    root_installs: bool = False
    """Whether root installs the packages, because another user must reach them."""
    libraries: tuple[str, ...] = ()
    """Packages of any version that the programs need and a machine may lack; unpacked beside them."""

    def folders(self) -> list[Path]:
        """Roots that may hold the tool, best first: the tested version, other fetched ones, the system."""
        fetched = sorted(cache().glob(f"{self.name}-[0-9]*"), reverse=True)
        return [self.folder(self.version), *fetched, Path("/")]

    def folder(self, version: str) -> Path:
        """The root into which packages of `version` are unpacked."""
        return cache() / f"{self.name}-{version}"

    def root(self) -> Path | None:
        """The root of the packages that tests use, or None if the tool is missing."""
        return next((folder for folder in self.folders() if self.lies_in(folder)), None)

    def lies_in(self, root: Path) -> bool:
        """Whether all programs are below `root`."""
        return all((root / program).is_file() for program in self.programs)

    def program(self, name: str) -> Path:
        """Where the program called `name` lies, or would lie."""
        path = next(program for program in self.programs if Path(program).name == name)
        return (self.root() or self.folder(self.version)) / path

    def library_folders(self, root: Path) -> list[Path]:
        """Where the programs' libraries lie, if they were unpacked beside them."""
        return sorted(root.glob("usr/lib/*-linux-gnu")) if self.libraries and root != Path("/") else []


TOOLS = (
    DebianTool("prometheus", ("prometheus",), "2.42.0+ds-5+deb12u1", ("usr/bin/prometheus", "usr/bin/promtool")),
    DebianTool(
        "alertmanager",
        ("prometheus-alertmanager",),
        "0.25.0-1+b4",
        ("usr/bin/prometheus-alertmanager", "usr/bin/amtool"),
    ),
    DebianTool("pushgateway", ("prometheus-pushgateway",), "1.5.1-2+b5", ("usr/bin/prometheus-pushgateway",)),
    DebianTool(
        "postgresql",
        ("postgresql-15", "postgresql-client-15"),
        "15.20-0+deb12u1",
        ("usr/lib/postgresql/15/bin/postgres", "usr/lib/postgresql/15/bin/initdb"),
        root_installs=True,
    ),
    DebianTool("shellcheck", ("shellcheck",), "0.9.0-1", ("usr/bin/shellcheck",)),
    DebianTool(
        "containerd",
        ("containerd",),
        "1.6.20~ds1-1+deb12u3",
        ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"),
    ),
    DebianTool("runc", ("runc",), "1.1.5+ds1-1+deb12u1", ("usr/sbin/runc",), libraries=("libseccomp2",)),
    DebianTool(
        "cni",
        ("containernetworking-plugins",),
        "1.1.1+ds1-3+b5",
        tuple(f"usr/lib/cni/{plugin}" for plugin in ("bridge", "host-local", "loopback", "portmap")),
    ),
    DebianTool(
        "iptables",
        ("iptables",),
        "1.8.9-2",
        ("usr/sbin/iptables-nft", "usr/sbin/ip6tables-nft"),
        libraries=(
            "libip4tc2",
            "libip6tc2",
            "libmnl0",
            "libnetfilter-conntrack3",
            "libnfnetlink0",
            "libnftnl11",
            "libxtables12",
        ),
    ),
    DebianTool(
        "nftables",
        ("nftables",),
        "1.0.6-2+deb12u2",
        ("usr/sbin/nft",),
        libraries=("libedit2", "libgmp10", "libjansson4", "libmnl0", "libnftables1", "libnftnl11", "libxtables12"),
    ),
    DebianTool("debootstrap", ("debootstrap",), "1.0.128+nmu2+deb12u2", ("usr/sbin/debootstrap",)),
)


class FetchError(Exception):
    """A tool cannot be had; the message says what to do."""


def tool(name: str) -> DebianTool:
    """The row called `name`."""
    return next(each for each in TOOLS if each.name == name)


def fetch(wanted: DebianTool) -> Path:
    """The root of the tool's packages, fetched; it appears whole or not at all.

    Raises:
        FetchError: this is no Debian, Debian has no such package, the download failed, or a library is missing.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise FetchError(f"this machine has no apt-get; install {wanted.name} so that {wanted.programs[0]} exists in /")
    version = _offered(wanted)
    if wanted.root_installs and os.geteuid() == 0:
        return _install(wanted, version)
    return _unpack(wanted, version)


def _offered(wanted: DebianTool) -> str:
    """The version to take: the tested one, else Debian's current one."""
    offered = _versions(wanted.packages[0])
    if wanted.version not in offered and os.geteuid() == 0:
        _run(["apt-get", "-qq", "update"])
        offered = _versions(wanted.packages[0])
    if not offered:
        raise FetchError(f"the package lists know no {wanted.packages[0]}; try: sudo apt-get update")
    if wanted.version in offered:
        return wanted.version
    _say(f"{wanted.name}: {wanted.version} was tested and is gone, taking {offered[0]}")
    return offered[0]


def _versions(package: str) -> list[str]:
    """What the package lists offer, newest first. Format: apt-cache(8), `madison`."""
    lines = _run(["apt-cache", "madison", package]).splitlines()
    return [line.split("|")[1].strip() for line in lines if "Packages" in line]


def _unpack(wanted: DebianTool, version: str) -> Path:
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{wanted.name}-", dir=cache()) as name:
        scratch = Path(name)
        unsandboxed = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []  # its user cannot write here
        _run(["apt-get", "-qq", *unsandboxed, "download", *_pinned(wanted, version), *wanted.libraries], scratch)
        for archive in scratch.glob("*.deb"):
            _run(["dpkg", "-x", str(archive), str(scratch / "root")])
        _demand_working(wanted, scratch / "root")
        (scratch / "root").rename(wanted.folder(version))
    return wanted.folder(version)


def _install(wanted: DebianTool, version: str) -> Path:
    """Installs for all users. The drop-in file keeps the package from creating and starting a server of its own."""
    ours = not _NO_CLUSTER.exists()
    _NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    _NO_CLUSTER.write_text("create_main_cluster = false\n")
    try:
        _run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *_pinned(wanted, version)])
    finally:
        if ours:
            _NO_CLUSTER.unlink()
    _demand_working(wanted, Path("/"))
    return Path("/")


def _pinned(wanted: DebianTool, version: str) -> list[str]:
    return [f"{package}={version}" for package in wanted.packages]


def _demand_working(wanted: DebianTool, root: Path) -> None:
    """Runs each program once: an unpacked package brings none but the named ones of the libraries it depends on."""
    environment = {**os.environ, "DEBOOTSTRAP_DIR": str(root / "usr/share/debootstrap")}
    if libraries := wanted.library_folders(root):
        environment["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
    for program in wanted.programs:
        command = [root / program, "-v" if "shim" in program else "--version"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        if done.returncode != 0:
            reason = (done.stderr.strip() or done.stdout.strip()).partition("\n")[0]
            raise FetchError(f"{program} does not run: {reason}; try: sudo apt-get install {' '.join(wanted.packages)}")


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fetch_missing(wanted: Sequence[DebianTool]) -> int:
    """0 if all of them are there afterwards, else 3; one that cannot be had does not keep the others away."""
    status = 0
    for each in wanted:
        root = each.root()
        try:
            _say(f"{each.name}: there, {root}" if root else f"{each.name}: fetched, {fetch(each)}")
        except (FetchError, OSError, subprocess.TimeoutExpired) as error:
            _say(f"{each.name}: missing, {error}")
            status = 3
    return status


def main() -> int:
    names = [each.name for each in TOOLS]
    parser = argparse.ArgumentParser(description="Fetch the servers that tests use and Debian packages.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--list", action="store_true", help="show what there is and where")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    wanted = [each for each in TOOLS if not arguments.names or each.name in arguments.names]
    if arguments.list:
        for each in wanted:
            print(f"{each.name:<12} tested with {each.version:<20} {each.root() or 'missing'}")
        return 0
    return _fetch_missing(wanted)


if __name__ == "__main__":
    sys.exit(main())
