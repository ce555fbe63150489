"""A network of one's own with nothing in it but a loopback, and a socket in it that somebody outside listens on.

A socket belongs to the network namespace it was made in, whoever holds it. So the listening socket is made inside and
handed out: what connects to it from inside is accepted by the egress proxy outside, and there is no other way out.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from atomctl.runs import kernel

PORT = 3128
_SIOCSIFFLAGS = 0x8914  # linux/sockios.h
_IFF_UP = 0x1  # linux/if.h
_INTERFACE_REQUEST = "16sh14x"


def enter(hand_over: int) -> None:
    """Moves this process into an empty network and sends a socket that listens on its 127.0.0.1:3128 to `hand_over`.

    Raises:
        OSError: the machine gives an ordinary user no user namespace.
    """
    user, group = os.geteuid(), os.getegid()
    kernel.own_proc_files()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET)
    # Without a map of its own this process could make no further user namespace, which the sandbox is.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    _raise_loopback()
    with socket.socket() as listener, socket.socket(fileno=hand_over) as channel:
        listener.bind(("127.0.0.1", PORT))
        listener.listen(64)
        socket.send_fds(channel, [b"L"], [listener.fileno()])


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_INTERFACE_REQUEST, b"lo", _IFF_UP))
