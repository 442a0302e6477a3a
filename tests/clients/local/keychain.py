"""A keychain that is nobody else's: gnome-keyring on a session bus of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import servers

# Debian's packages with each command.
NEEDED = {"dbus-daemon": "dbus", "dbus-send": "dbus", "gnome-keyring-daemon": "gnome-keyring"}

# No service is started on demand: those of the machine are not ours to start.
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"""

PATIENCE = 60


def missing() -> list[str]:
    """Packages that are not installed."""
    return sorted({package for command, package in NEEDED.items() if shutil.which(command) is None})


@contextlib.contextmanager
def bus(folder: Path) -> Iterator[str]:
    """A session bus with nobody on it; its address. Its socket is in `folder`, which is made."""
    folder.mkdir(parents=True)
    configuration = folder / "bus.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    with servers.ended(daemon):
        yield daemon.stdout.readline().strip()


@contextlib.contextmanager
def unlocked(folder: Path) -> Iterator[str]:
    """One that is open; the address of its bus."""
    quiet = {"stderr": subprocess.DEVNULL}
    with contextlib.ExitStack() as running:
        address = running.enter_context(bus(folder))
        own = {"DBUS_SESSION_BUS_ADDRESS": address, "XDG_DATA_HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
        keyring = ["gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock", f"--control-directory={folder}/control"]
        variables = {"PATH": os.environ["PATH"], **own}
        daemon = subprocess.Popen(keyring, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=variables, **quiet)
        running.enter_context(servers.ended(daemon))
        daemon.stdin.write(b"a password of this test")
        daemon.stdin.close()
        deadline = time.monotonic() + PATIENCE
        while not owned(address, "org.freedesktop.secrets"):
            if time.monotonic() > deadline:
                raise RuntimeError("gnome-keyring-daemon does not take its name on the bus")
            time.sleep(0.05)
        yield address


def owned(address: str, name: str) -> bool:
    """Whether somebody on that bus has the name."""
    return "boolean true" in ask_bus(address, "NameHasOwner", name)


def process(address: str) -> int:
    """The process of the keychain on that bus."""
    return int(ask_bus(address, "GetConnectionUnixProcessID", "org.freedesktop.secrets").rsplit(maxsplit=1)[-1])


def ask_bus(address: str, member: str, name: str) -> str:
    """The bus' own answer about a name on it, as dbus-send prints it."""
    asked = ["dbus-send", f"--bus={address}", "--print-reply", "--dest=org.freedesktop.DBus", "/", f"org.freedesktop.DBus.{member}",
             f"string:{name}"]
    return subprocess.run(asked, text=True, capture_output=True, timeout=PATIENCE).stdout
