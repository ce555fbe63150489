"""The kernel calls that Python does not wrap. Every supervisor loads this file, so it imports next to nothing.

Numbers are from linux/prctl.h, linux/sched.h and linux/mount.h; they are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import os

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def _check(call: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _prctl(name: str, option: int, value: int) -> None:
    _check(f"prctl({name})", _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def become_subreaper() -> None:
    """Orphans among this process's descendants become its children, whatever they do to detach themselves."""
    _prctl("PR_SET_CHILD_SUBREAPER", _PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> None:
    """The kernel sends `signal_number` to this process when the thread that started it ends."""
    _prctl("PR_SET_PDEATHSIG", _PR_SET_PDEATHSIG, signal_number)


def gain_no_privileges() -> None:
    """From here on no set-uid or set-capability program raises what this process may do."""
    _prctl("PR_SET_NO_NEW_PRIVS", _PR_SET_NO_NEW_PRIVS, 1)


def own_proc_files() -> None:
    """Makes `/proc/self` belong to this process again after it changed its user, so that it can map its ids."""
    _prctl("PR_SET_DUMPABLE", _PR_SET_DUMPABLE, 1)


def unshare(flags: int) -> None:
    """Moves this process into new namespaces of the kinds in `flags`."""
    _check("unshare", _libc.unshare(flags))


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Puts `source` at `target`; the arguments are those of the system call."""
    encoded = [None if part is None else os.fsencode(part) for part in (source, target, kind, options)]
    _check(f"mount {target}", _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]))
