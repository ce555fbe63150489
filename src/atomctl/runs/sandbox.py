"""The arguments that make bubblewrap the sandbox of a step. Pure: see bwrap(1) for what each one means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STEP_USER = 65534
PACKAGE = "/package"
HOME = "/tmp"  # noqa: S108  # the sandbox's own, in memory
OUTPUT = "/run/atom/output"
SECRETS = "/run/atom/secrets"

_SYSTEM = (
    # What programs of the system need, and nothing that tells about the machine's people, keys or services.
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
PASSWD = b"nobody:x:65534:65534:the user of a step:/tmp:/bin/sh\n"
GROUP = b"nogroup:x:65534:\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is handed into the sandbox: host paths of the package and the output file, descriptors of the rest."""

    package: str
    output: str
    passwd: int
    group: int
    secrets: Mapping[str, int]


def arguments(*, files: Files, env: Mapping[str, str], scratch_bytes: int, shared_network: bool) -> list[str]:
    """The options of bwrap for one attempt, without the program.

    With `shared_network` the sandbox keeps the network it is started in, which is then an empty one with an egress
    socket; without it, it makes an empty one. The host's own network is reached in neither case.
    """
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", *(["--share-net"] if shared_network else [])),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "atom"),
        *("--uid", str(STEP_USER), "--gid", str(STEP_USER)),
        *_system_mounts(),
        *("--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(scratch_bytes), "--tmpfs", HOME),
        *("--remount-ro", "/dev", "--size", str(scratch_bytes), "--tmpfs", "/dev/shm"),  # noqa: S108  # the sandbox's own
        *("--ro-bind", files.package, PACKAGE, "--bind", files.output, OUTPUT),
        *("--ro-bind-data", str(files.passwd), "/etc/passwd", "--ro-bind-data", str(files.group), "/etc/group"),
        *_secret_files(files.secrets),
        *("--remount-ro", "/", "--chdir", PACKAGE),
        *("--clearenv", *_environment(env)),
    ]


def _system_mounts() -> list[str]:
    return ["--ro-bind", "/usr", "/usr", *(word for path in _SYSTEM for word in ("--ro-bind-try", path, path))]


def _secret_files(secrets: Mapping[str, int]) -> list[str]:
    if not secrets:
        return []
    options = ["--perms", "0500", "--dir", SECRETS]
    for name, descriptor in secrets.items():
        options += ["--perms", "0400", "--ro-bind-data", str(descriptor), f"{SECRETS}/{name}"]
    return options


def _environment(env: Mapping[str, str]) -> list[str]:
    return [word for name, value in env.items() for word in ("--setenv", name, value)]


def encode(options: Sequence[str]) -> bytes:
    """The options as `--args FD` reads them: parameters do not show in the machine's process list this way."""
    return b"".join(option.encode() + b"\0" for option in options)
