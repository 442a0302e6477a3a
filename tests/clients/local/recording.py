"""A newcomer's first commands, typed at a terminal as docs/local-server.md has them. What they see is kept, and checked for what a terminal must not show."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from desk import ADELE, PLAIN, Desk, Machine, NoEnd, wait
from report import Report

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "local-server.md"

WIDTH, HEIGHT = 120, 50

WHO = f"Adele Vance <{ADELE}>  7e57b000-0000-4000-8000-000000000001@7e57a000-0000-4000-8000-000000000001"

# What is typed after the guide's own commands, each with words that have to follow it.
AFTERWARDS = [
    ("valet accounts", [f"* {WHO}"]),
    ("valet uninstall --client vscode", ["removed `valet`"]),
    ("valet logout", [f"Signed out: {WHO}"]),
    ("valet whoami", ["nobody is signed in; `valet login` signs you in"]),
]

# What has to follow the commands of the guide.
GUIDED = {"valet login": [f"Signed in: {WHO}"], "valet whoami": [WHO], "valet install": ["mcp.json: added `valet`"]}

# On a machine with neither a keychain nor a screen.
BARE = [
    ("valet login", ["there is no keychain", PLAIN]),
    (f"valet login {PLAIN}", ["enter the code", f"Signed in: {WHO}"]),
    (f"valet whoami {PLAIN}", [WHO]),
    ("valet stdio --config elsewhere.toml", ["elsewhere.toml"]),
]


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """Both recordings."""
    if shutil.which("tmux") is None:
        print("NOT RUN: local, recording: tmux is not installed; on Debian: apt-get install tmux")
        return
    recordings = [("bare", Desk(machine, folder / "bare", screen=False), BARE)]
    if machine.bus:
        recordings.insert(0, ("first-run", Desk(machine, folder / "first-run", keychain=True), [*guided(), *AFTERWARDS]))
    for name, desk, commands in recordings:
        if case not in f"local, recording, {name}":
            continue
        report.section(f"local, recording, {name}")
        desk.write("valet.toml", configuration(machine))
        try:
            one(desk, commands, report, folder / f"{name}.txt")
        except NoEnd as error:
            report.check("no exception", False, str(error))


def guided() -> list[tuple[str, list[str]]]:
    """The commands of the guide, in its order, with what has to follow them."""
    (block,) = (block for block in re.findall("```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "valet login" in block)
    typed = [line.split("#")[0].strip() for line in block.splitlines() if line.startswith("valet ")]
    return [(line, GUIDED[" ".join(line.split()[:2])]) for line in typed]


def configuration(machine: Machine) -> str:
    """The one of the guide, with what is elsewhere here: our port, the artifacts, the emulator's certificate."""
    text = re.search("```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    elsewhere = {
        "https://localhost:8444": machine.emulator.authority, '"target/valet/native"': f'"{machine.artifacts.resolve()}"',
        '"emulator-state/emulator-ca.pem"': f'"{machine.emulator.ca_files[0]}"',
    }
    for there, here in elsewhere.items():
        if there not in text:
            raise NoEnd(f"the guide's configuration has no {there}")
        text = text.replace(there, here)
    return text


def one(desk: Desk, commands: list[tuple[str, list[str]]], report: Report, kept: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="valet-") as short:
        terminal = Terminal(desk, Path(short) / "tmux")
        try:
            for command, words in commands:
                said = terminal.type(command)
                place = 0
                for expected in words:
                    # A line that is wider than the terminal goes on in the next one.
                    at = said.find(expected, place)
                    report.check(f"`{command}` says `{expected}`", at >= 0, repr(said))
                    place = max(at, place)
            text, raw = terminal.text(), terminal.text("-e")
        finally:
            terminal.close()
    kept.write_text(text)
    control = "[\x00-\x09\x0b-\x1f\x7f-\x9f]"
    report.equal("no control characters", re.findall(control, text), [])
    # Colours (ECMA-48, SGR) are for whoever looks at a terminal; nothing else is.
    report.equal("and nothing but colours", re.findall(control, re.sub("\x1b\\[[0-9;]*m", "", raw)), [])
    # A step that is skipped says why, once; nothing else that is for a log is for a person.
    for_a_log = [line for line in text.splitlines() if re.search(r"::|\bpanicked\b|^\d{4}-\d\d-\d\dT", line)]
    report.equal("no line that is for a log", [line for line in for_a_log if "a step of the sign-in is skipped" not in line], [])
    report.equal("nothing is said twice in a row", [a for a, b in zip(text.splitlines(), text.splitlines()[1:]) if a.strip() and a == b], [])


class Terminal:
    """A shell at the desk, in tmux."""

    def __init__(self, desk: Desk, socket: Path) -> None:
        self._desk = desk
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        own = desk.folder / "own"
        own.mkdir()
        (own / "valet").symlink_to(desk.machine.valet.resolve())
        path = f"{own}:{desk.variables['PATH']}"
        variables = {**desk.variables, "PATH": path, "PS1": "$ ", "TERM": "tmux-256color", "LANG": "C.UTF-8"}
        shell = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), "bash", "--norc", "--noprofile", "-i"]
        size = ["-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(desk.folder)]
        self._run("new-session", "-d", *size, shlex.join(shell))
        self._prompts = 0
        self._prompt()

    def type(self, command: str) -> str:
        """Types a line and waits for its end; what it said. Who is shown a code enters it."""
        before = len(self.text())
        self._run("send-keys", "-l", command)
        self._run("send-keys", "Enter")
        entered: list[str] = []

        def done() -> bool:
            said = self.text()[before:]
            code = re.search(r"enter the code \S+", said)
            if code and not entered:
                entered.append(code[0])
                self._desk.enter_code(said)
            return self._count() > self._prompts
        wait(done, f"`{command}` ends; the terminal shows: {self.text()}")
        self._prompts = self._count()
        return self.text()[before:]

    def text(self, *options: str) -> str:
        """Everything that it has shown, lines joined that were too wide."""
        return self._run("capture-pane", "-p", "-J", "-S", "-", *options).rstrip() + "\n"

    def close(self) -> None:
        self._run("kill-server")

    def _prompt(self) -> None:
        wait(lambda: self._count() > self._prompts, "the shell asks for a command")
        self._prompts = self._count()

    def _count(self) -> int:
        return sum(line == "$" or line.startswith("$ ") for line in self.text().splitlines())

    def _run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout
