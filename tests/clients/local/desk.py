"""A machine with a user: a home, a configuration, and a browser that opens when a program asks for it. Nothing of the developer's own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import expected
import signin
from emulator import Emulator
from tls import trusting

HERE = Path(__file__).resolve().parent

# On a machine without a keychain.
PLAIN = "--dangerously-plaintext-cache"

ADELE, ALEX = "adele@contoso.example", "alex@contoso.example"

# For whatever has to happen on this machine, which may be busy.
PATIENCE = 60

CONFIGURATION = """artifacts = '{artifacts}'
[entra]
tenant = "{tenant}"
client_id = "{client}"
authority = "{authority}"
v1_authority = "{authority}/sts"
emulator = true
[graph]
url = "{authority}"
[egress]
ca_file = '{ca}'
allow_private_addresses = true
[local]
state_dir = "state"
{local}
[tools.whoami]
scopes = ["{scope}"]
[tools.GetUserDetailsFromGraph]
scopes = ["{scope}"]
"""

# What an MCP client starts: it keeps what the server says on both channels, and then is the server (the process id stays).
RECORDER = """#!/bin/bash
exec {valet} "$@" 2>> {folder}/"$1".err > >(exec tee -a {folder}/"$1".out)
"""


class NoEnd(Exception):
    """Something that had to happen did not."""


@dataclass(frozen=True)
class Machine:
    """What all desks share."""

    valet: Path
    artifacts: Path
    emulator: Emulator
    # Address of the session bus with the keychain, where there is one.
    bus: str | None
    # For who starts one of their own.
    emulator_program: Path
    # A Python that has jeepney, for who starts the service in broker.py.
    python: Path | None = None


@dataclass
class Desk:
    """One, in a folder of its own."""

    machine: Machine
    folder: Path
    # Whether tokens are in the keychain of the session bus.
    keychain: bool = False
    # Whether there is a screen that a browser could be opened on.
    screen: bool = True
    # Further lines of `[local]`.
    local: str = ""
    # Address of a session bus without a keychain, where there has to be one.
    bus: str | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "home").mkdir()
        emulator = self.machine.emulator
        self.write("valet.toml", CONFIGURATION.format(
            artifacts=self.machine.artifacts.resolve(), tenant=expected.TENANT_ID, client=expected.CLIENT_ID,
            authority=emulator.authority, ca=emulator.ca_files[0], scope=expected.SCOPE, local=self.local,
        ))
        person = [sys.executable, "-B", str(HERE / "person.py"), str(self.folder)]
        self._script("bin/xdg-open", f'#!/bin/sh\nexec {shlex.join(person)} "$@"\n')
        quoted = {"valet": shlex.quote(str(self.machine.valet.resolve())), "folder": shlex.quote(str(self.folder))}
        self._script("bin/valet", RECORDER.format(**quoted))
        self.person_will("accept")

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    def _script(self, name: str, text: str) -> None:
        self.write(name, text).chmod(0o755)

    def person_will(self, press: str, user: str = ADELE) -> None:
        """From here on the person does this at each page that opens: `accept`, `cancel`, or `nothing`."""
        emulator = self.machine.emulator
        trusted = [str(file) for file in emulator.ca_files]
        self.write("will.json", json.dumps({"press": press, "user": user, "ca_files": trusted, "harness": str(Path(signin.__file__).parent)}))

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every program here."""
        home = self.folder / "home"
        # Without a keychain the bus is one that is not there: valet would look for the machine's own.
        bus = self.machine.bus if self.keychain else self.bus
        bus = bus or f"unix:path={self.folder}/no-bus"
        screen = {"DISPLAY": ":0"} if self.screen else {}
        return {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "HOME": str(home), "DBUS_SESSION_BUS_ADDRESS": bus, **screen}

    @property
    def storage(self) -> list[str]:
        return [] if self.keychain else [PLAIN]

    def command(self, name: str = "stdio", *further: str, recorded: bool = True) -> list[str]:
        """`valet NAME`. Recorded by the desk, or to be recorded by who starts it."""
        program = self.folder / "bin" / "valet" if recorded else self.machine.valet.resolve()
        return [str(program), name, "--config", str(self.folder / "valet.toml"), *self.storage, *further]

    def as_server(self) -> dict[str, Any]:
        """How an MCP client starts it, and where the desk is."""
        program, *arguments = self.command()
        return {"command": program, "args": arguments, "env": self.variables, "cwd": str(self.folder), "folder": str(self.folder)}

    def start(self, name: str = "stdio", *further: str, **options: Any) -> "Process":
        """Starts it, in a session of its own, so that whatever it leaves behind is found."""
        return Process(self, [name, *further], self.command(name, *further, recorded=False), **options)

    def done(self, name: str, *further: str) -> str:
        """Runs a command of a person to its end; what it printed, both channels."""
        process = self.start(name, *further)
        process.end()
        return process.text

    @property
    def opened(self) -> list[list[str]]:
        """The arguments of each start of the browser."""
        file = self.folder / "opened"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def visits(self) -> list[dict[str, Any]]:
        """What the person saw, each time that they came to an end."""
        file = self.folder / "visits"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait_for_browser(self, times: int) -> str:
        """The URL that the browser was sent to, when it has been opened so often."""
        wait(lambda: len(self.opened) >= times, "the browser opens")
        return self.opened[times - 1][-1]

    def visit(self, url: str) -> None:
        """Has the person go there, as if it had just been opened."""
        subprocess.run([str(self.folder / "bin" / "xdg-open"), url], check=True, timeout=PATIENCE)

    def enter_code(self, words: str, user: str = ADELE, press: str = "accept") -> str:
        """Enters the code that `words` show, where they say."""
        address, code = signin.code_in(words)
        tls = trusting([str(file) for file in self.machine.emulator.ca_files])
        return signin.enter_code(address, code, user, tls, press)

    @property
    def cache(self) -> Path:
        """The file of tokens in clear."""
        return self.folder / "state" / "tokens.json"

    def cached(self) -> dict[str, Any]:
        return json.loads(self.cache.read_text())

    def lose_access_tokens(self) -> None:
        """As if they had ended: the next call has to refresh."""
        self.cache.write_text(json.dumps({**self.cached(), "AccessToken": {}}))


class Process:
    """`valet`, its output and whatever it has started."""

    def __init__(self, desk: Desk, name: list[str], command: list[str], user: int | None = None, deaf: bool = False) -> None:
        """`user`: whose process it is. `deaf`: nobody reads its output."""
        self.desk = desk
        number = sum(1 for _ in desk.folder.glob("said-*")) // 2
        stem = desk.folder / f"said-{number}-{name[0]}"
        self._files = [stem.with_suffix(".out"), stem.with_suffix(".err")]
        self._lines: list[str] = []
        self._ids = 0
        self.child = subprocess.Popen(
            command, cwd=desk.folder, env=desk.variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._files[1].open("wb"), start_new_session=True, user=user, group=user, extra_groups=None if user is None else [],
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        if deaf:
            self.child.stdout.close()
        else:
            self._reader.start()

    def _read(self) -> None:
        with self._files[0].open("wb") as kept:
            for line in self.child.stdout:
                kept.write(line)
                kept.flush()
                self._lines.append(line.decode(errors="replace"))

    @property
    def out(self) -> list[str]:
        return list(self._lines)

    @property
    def err(self) -> str:
        return self._files[1].read_text(errors="replace")

    @property
    def text(self) -> str:
        return "".join(self.out) + self.err

    def send(self, data: bytes) -> None:
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def begin(self, method: str, **params: Any) -> int:
        """Sends a request of revision 2026-07-28; its id."""
        self._ids += 1
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
        message = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": {**params, "_meta": meta}}
        self.send(json.dumps(message).encode() + b"\n")
        return self._ids

    def call(self, tool: str) -> int:
        return self.begin("tools/call", name=tool, arguments={})

    def answer(self, number: int, patience: float = PATIENCE) -> dict[str, Any]:
        """The answer to the request with that id, whichever came before."""
        def found() -> dict[str, Any] | None:
            answers = (json.loads(line) for line in self.out)
            return next((answer for answer in answers if answer.get("id") == number), None)
        return wait(found, f"request {number} is answered", patience, self)

    def result(self, tool: str) -> dict[str, Any]:
        """Calls and waits."""
        return self.answer(self.call(tool))["result"]

    def wait_for_words(self, words: str) -> str:
        """The line of standard error that has them."""
        return wait(lambda: next((line for line in self.err.splitlines() if words in line), None), f"it says `{words}`", who=self)

    def close_input(self) -> None:
        self.child.stdin.close()

    def end(self, patience: float = PATIENCE) -> int:
        """Waits for its end; the exit code (below 0: the signal)."""
        try:
            code = self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NoEnd(f"it has not ended after {patience} s; it said: {self.err[-600:]}") from None
        if self._reader.ident:
            self._reader.join(patience)
        return code

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def left_behind(self) -> list[str]:
        """Processes of its session that live on."""
        return in_session(self.child.pid)


def in_session(session: int) -> list[str]:
    """The commands of the processes in it (proc(5): the sixth field of `stat`, of which the second may have spaces)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = stat.read_text().rsplit(")", 1)
        except OSError:
            continue
        state, _parent, _group, its_session = fields.split()[:4]
        if int(its_session) == session and state != "Z":
            found.append(name.split("(", 1)[1])
    return found


def wait(found: Any, what: str, patience: float = PATIENCE, who: Process | None = None) -> Any:
    """What `found` gives, once that is something."""
    deadline = time.monotonic() + patience
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            said = f"; it said: {who.text[-800:]}" if who else ""
            raise NoEnd(f"not after {patience} s: {what}{said}")
        time.sleep(0.02)
