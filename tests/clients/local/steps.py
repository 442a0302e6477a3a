"""Where a sign-in can be when it ends: how a desk gets there, how that is known without asking the process, and what follows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import keychain
from broker import Broker
from desk import Desk, Machine

TOOL = "GetUserDetailsFromGraph"

# Longer than any answer is waited for.
DELAY = 600


@dataclass
class Step:
    """One of them."""

    name: str
    # Lines of `[local]`.
    local: str = ""
    # Somebody has signed in before, and their access token has ended.
    signed_in: bool = False
    # What the person does who is asked.
    person: str = "nothing"
    # Nobody who ends waits for a person.
    waits_for_person: bool = False
    commands: tuple[str, ...] = ("stdio", "login")

    def prepare(self, machine: Machine, folder: Path, command: str) -> Desk:
        found = self.desk(machine, folder)
        # `valet login` has somebody sign in again, whose tokens are there already.
        if self.signed_in or command == "login":
            sign_in(found)
        if self.signed_in:
            found.lose_access_tokens()
        found.person_will(self.person)
        (found.folder / "opened").unlink(missing_ok=True)
        machine.emulator.ask("DELETE", "counts")
        self.disturb(found)
        return found

    def desk(self, machine: Machine, folder: Path) -> Desk:
        return Desk(machine, folder, local=self.local)

    def disturb(self, found: Desk) -> None:
        """Whatever has to be in the way."""

    def reached(self, found: Desk) -> bool:
        """Known without asking the process."""
        raise NotImplementedError

    def resume(self, found: Desk) -> None:
        """The world is well again."""
        found.machine.emulator.undisturbed()
        found.person_will("accept")

    def asked(self, killed: bool) -> list[str] | None:
        """What a broker has been asked in the end, if there is one."""


class BrowserIsOpen(Step):
    def reached(self, found: Desk) -> bool:
        return bool(found.opened)


class CodeIsPending(Step):
    def reached(self, found: Desk) -> bool:
        return found.machine.emulator.ask("GET", "counts")["counts"]["token"] > 0


@dataclass
class AuthorityIsSlow(Step):
    """It does not answer at this endpoint."""

    endpoint: str = "token"

    def disturb(self, found: Desk) -> None:
        found.machine.emulator.ask("POST", "faults", {"endpoint": self.endpoint, "kind": "delay", "seconds": DELAY})

    def reached(self, found: Desk) -> bool:
        return found.machine.emulator.delayed() > 0


@dataclass
class BrokerIsAsked(Step):
    """A broker of the machine has been called, and does not answer that call."""

    waits_for_person: bool = True
    broker: Broker | None = None
    will: str = "window"
    # The last call that it got.
    call: str = "acquireTokenInteractively"
    calls: tuple[str, ...] = ("getAccounts", "acquireTokenInteractively", "cancelInteractiveFlow")

    def desk(self, machine: Machine, folder: Path) -> Desk:
        self.broker.will("refuses")
        return Desk(machine, folder, local=self.local, bus=self.broker.address)

    def disturb(self, found: Desk) -> None:
        self.broker.will(self.will)

    def reached(self, found: Desk) -> bool:
        return self.call in self.broker.calls

    def resume(self, found: Desk) -> None:
        super().resume(found)
        # The browser comes next.
        self.broker.will("refuses")

    def asked(self, killed: bool) -> list[str]:
        """Who is killed takes no window away; the bus tells the broker that they are gone."""
        return [call for call in self.calls if not (killed and call == "cancelInteractiveFlow")]


@dataclass
class CacheIsHeld(Step):
    """Another process changes the cache, and does not come to an end."""

    signed_in: bool = True
    held: list[int] = field(default_factory=list)

    def disturb(self, found: Desk) -> None:
        file = os.open(lock_of(found), os.O_RDWR)
        fcntl.flock(file, fcntl.LOCK_EX)
        self.held.append(file)

    def reached(self, found: Desk) -> bool:
        return any(process != os.getpid() for process in with_open(lock_of(found)))

    def resume(self, found: Desk) -> None:
        super().resume(found)
        while self.held:
            os.close(self.held.pop())


@dataclass
class KeychainIsSilent(Step):
    """The session bus takes connections, as the system does for it, and never says a word."""

    folder: Path = Path()
    listener: socket.socket | None = None
    taken: list[socket.socket] = field(default_factory=list)

    def disturb(self, found: Desk) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        path = self.folder / f"bus-{len(list(self.folder.iterdir()))}"
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.setblocking(False)
        found.machine = replace(found.machine, bus=f"unix:path={path}")
        found.keychain = True

    def reached(self, found: Desk) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.taken.append(self.listener.accept()[0])
        return bool(self.taken)

    def resume(self, found: Desk) -> None:
        super().resume(found)
        for taken in [*self.taken, self.listener]:
            taken.close()
        self.taken.clear()
        # The plain file, which the process had nothing to do with.
        found.keychain = False


@dataclass
class CacheIsWritten(Step):
    """Somebody has signed in, and the keychain that is to keep it has come to a halt."""

    process: int = 0

    def desk(self, machine: Machine, folder: Path) -> Desk:
        self.process = keychain.process(machine.bus)
        return Desk(machine, folder, keychain=True)

    def reached(self, found: Desk) -> bool:
        """The cache has been read when the browser opens, and is held from before it is written until after."""
        if not found.opened:
            return False
        if not (found.folder / "halted").exists():
            os.kill(self.process, signal.SIGSTOP)
            (found.folder / "halted").touch()
            found.person_will("accept")
            subprocess.Popen([str(found.folder / "bin" / "xdg-open"), found.opened[0][-1]], cwd=found.folder)
        return found.machine.emulator.ask("GET", "counts")["counts"]["token"] > 0 and is_held(lock_of(found))

    def resume(self, found: Desk) -> None:
        super().resume(found)
        os.kill(self.process, signal.SIGCONT)


def all_of(machine: Machine, broker: Broker | None, short: Path) -> Iterator[Step]:
    """Those that this machine can come to. `short`: a folder for sockets, whose paths have 108 bytes."""
    yield BrowserIsOpen("the browser is open", waits_for_person=True)
    yield CodeIsPending("a device code is pending", local='steps = ["device-code"]', waits_for_person=True)
    yield AuthorityIsSlow("the authority's metadata is awaited", endpoint="metadata")
    yield AuthorityIsSlow("a code is being redeemed", person="accept")
    # `valet login` asks a person in any case.
    yield AuthorityIsSlow("a silent refresh is under way", signed_in=True, commands=("stdio",))
    yield CacheIsHeld("another process holds the cache")
    if broker:
        yield BrokerIsAsked(WINDOW, broker=broker)
        yield BrokerIsAsked("the broker is silent", broker=broker, will="silent", call="getAccounts", calls=("getAccounts",))
    if machine.bus:
        yield KeychainIsSilent("the keychain waits for its owner", folder=short)
        yield CacheIsWritten("the keychain is being written")


# The name of the one in which a broker shows something.
WINDOW = "the broker's window is open"


def sign_in(found: Desk) -> None:
    """By the scripted person, with a token for Graph."""
    process = found.start("stdio")
    try:
        first = process.result(TOOL)
        if first.get("isError"):
            found.enter_code(first["content"][0]["text"])
            process.result(TOOL)
        process.close_input()
        process.end()
    finally:
        process.kill()


def lock_of(found: Desk) -> Path:
    return found.folder / "state" / "tokens.lock"


def with_open(path: Path) -> Iterator[int]:
    """The processes that have the file open (proc(5))."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink() == path:
                yield int(link.parts[2])


def is_held(path: Path) -> bool:
    """Whether somebody has locked the file (flock(2))."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
