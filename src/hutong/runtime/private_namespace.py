"""
A private place on this machine: own loopback addresses with every port free, own files over the machine's.

Linux has namespaces for it. Root makes them at once; anybody else first becomes the owner of a user namespace, in which
the account stays the same. Whoever enters stays there, with all that is started from then on; outside nothing changes.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

from hutong.kernel.errors import Kind, Reason, Refusal

_NEWNS, _NEWUSER, _NEWNET = 0x00020000, 0x10000000, 0x40000000  # unshare(2)
_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000  # mount(2)
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # netdevice(7)
_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


class NamespaceReason(Reason):
    """Why there is no private place."""

    NAMESPACES_FORBIDDEN = Kind.REFUSED, "NARR"


def enter() -> None:
    """
    Go into a private place, with the loopback device up.

    It has to be called before this process has threads. Refuses NAMESPACES_FORBIDDEN, saying what the machine did not allow.
    """
    user, group = os.geteuid(), os.getegid()
    flags = _NEWNS | _NEWNET if user == 0 else _NEWUSER | _NEWNS | _NEWNET
    _call("unshare", flags)
    if user != 0:
        try:
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
        except OSError as error:
            raise _forbidden("uid_map", error) from error
    _call("mount", b"none", b"/", None, _REC | _PRIVATE, None)  # What is mounted here stays here.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        try:
            fcntl.ioctl(device, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _UP_AND_RUNNING))
        except OSError as error:
            raise _forbidden("loopback", error) from error
    with suppress(OSError):  # Then only this process may take 443 and 80, and not what it starts.
        _PORTS.write_text("0", encoding="ascii")


def put_over(file: Path, content: Path) -> None:
    """Let `content` stand where `file` is, from here on and in here alone. Refuses NAMESPACES_FORBIDDEN."""
    _call("mount", os.fsencode(content), os.fsencode(file.resolve()), None, _BIND, None)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise _forbidden(name, OSError(number, os.strerror(number)))


def _forbidden(what: str, error: OSError) -> Refusal:
    said = f"{errno.errorcode.get(error.errno or 0, '?')}: {error.strerror}"
    return Refusal(NamespaceReason.NAMESPACES_FORBIDDEN, call=what, said=said)
