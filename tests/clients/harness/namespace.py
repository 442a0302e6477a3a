"""A network of its own: loopback and nothing else, in which host names are this machine."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

# Where Azure's machines find their identities.
MACHINE = "169.254.169.254"

# Of the ranges for documentation (RFC 5737, RFC 3849), where nobody is: whatever happens, nobody is reached.
OUTSIDE = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")]

# linux/sockios.h, linux/if.h
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
IFF_UP, IFF_RUNNING = 0x1, 0x40


class NotPossible(Exception):
    """The machine does not allow it, and why."""


class NotClosed(Exception):
    """There is a way out, so nothing may run here."""


def commands() -> list[str]:
    """The command that runs another one in new network and mount namespaces, or NotPossible."""
    if sys.platform != "linux":
        raise NotPossible("namespaces are a thing of Linux")
    refused, refusals = "this machine does not allow network namespaces", []
    for command in (["unshare", "--net", "--mount"], ["unshare", "--map-root-user", "--net", "--mount"]):
        try:
            tried = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=30)
        except OSError as error:
            raise NotPossible(f"{refused}: {command[0]}: {error.strerror}") from None
        if tried.returncode == 0:
            return command
        refusals.append(f"{' '.join(command)}: {tried.stderr.strip()}")
    raise NotPossible(f"{refused}: {'; '.join(refusals)}")


def furnish(names: dict[str, str], work: Path) -> None:
    """Inside: loopback up with the address of IMDS, and a hosts file that gives each of `names` an address of loopback."""
    hosts = work / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in names.items()))
    # No server, so that a name that is not in the file fails at once.
    resolvers = work / "resolv.conf"
    resolvers.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    try:
        _loopback_up()
        _mount("--make-rprivate", "/")
        _mount("--bind", str(hosts), "/etc/hosts")
        _mount("--bind", str(resolvers.resolve()), str(Path("/etc/resolv.conf").resolve()))
    except OSError as error:
        raise NotPossible(f"the namespace cannot be furnished: {error}") from None


def prove_closed() -> list[str]:
    """The sentences that were found true; NotClosed if one is not. Sends nothing where there is a way out."""
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        raise NotClosed(f"there are other interfaces than lo: {names}")
    for file, column in (("/proc/self/net/route", 0), ("/proc/self/net/ipv6_route", -1)):
        path = Path(file)
        rows = [row.split() for row in path.read_text().splitlines()] if path.exists() else []
        leading_out = [row for row in rows if row and row[column] not in ("lo", "Iface")]
        if leading_out:
            raise NotClosed(f"{file} has a route out: {leading_out[0]}")
    for family, address in OUTSIDE:
        # A datagram socket first: connecting it looks a route up and sends nothing.
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            reached = _connect(family, kind, address)
            if reached not in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise NotClosed(f"connecting to {address} gave {errno.errorcode.get(reached, 'a connection')}")
    if _connect(socket.AF_INET, socket.SOCK_STREAM, OUTSIDE[0][1]) != errno.ENETUNREACH:
        raise NotClosed("connecting to a public address did not fail with ENETUNREACH")
    return [
        "there is no interface but lo",
        "there is no route out",
        f"connecting to {OUTSIDE[0][1]} fails at once with ENETUNREACH",
    ]


def prove_names(names: list[str]) -> list[str]:
    """Each name is this machine and nothing else."""
    for name in names:
        found = {str(address[0]) for *_, address in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
        if found != {"127.0.0.1"}:
            raise NotClosed(f"{name} is {sorted(found)}")
    return [f"{name} is this machine" for name in names]


def _connect(family: socket.AddressFamily, kind: socket.SocketKind, address: str) -> int:
    try:
        with socket.socket(family, kind) as probe:
            probe.settimeout(2)
            return probe.connect_ex((address, 443))
    except OSError as error:
        return error.errno or 0


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def _loopback_up() -> None:
    """By ioctl: not every machine has the command `ip`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        up = struct.pack("16sH14x", b"lo", flags | IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, up)
        for operation, address in ((SIOCSIFADDR, MACHINE), (SIOCSIFNETMASK, "255.255.255.255")):
            body = struct.pack("16sHH4s8x", b"lo:imds", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, operation, body)
