"""Commands typed at a terminal: what a person sees there is kept, and checked for what a terminal must not show. Here on a machine with neither keychain nor
screen; the first commands of a newcomer are in guide.py."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from desk import ADELE, PLAIN, Desk, Machine, NoEnd, wait
from report import Report

WIDTH, HEIGHT = 120, 50

WHO = f"Adele Vance <{ADELE}>  7e57b000-0000-4000-8000-000000000001@7e57a000-0000-4000-8000-000000000001"

# On a machine with neither a keychain nor a screen.
BARE = [
    ("valet login", ["there is no keychain", PLAIN]),
    (f"valet login {PLAIN}", [
        "Signing in without the broker: no session bus: ",
        "Signing in without the browser: there is no graphical session (neither DISPLAY nor WAYLAND_DISPLAY is set).",
        "enter the code", f"Signed in: {WHO}", f"Next: `valet install --client vscode {PLAIN}` (or claude, claude-code, cursor)",
    ]),
    (f"valet whoami {PLAIN}", [WHO]),
    ("valet stdio --config elsewhere.toml", ["elsewhere.toml"]),
]


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """The recording."""
    if case not in "local, recording":
        return
    if shutil.which("tmux") is None:
        print("NOT RUN: local, recording: tmux is not installed; on Debian: apt-get install tmux")
        return
    desk = Desk(machine, folder / "bare", screen=False)
    # Not the one that keeps what it says, which would be no terminal.
    program = desk.folder / "bin" / "valet"
    program.unlink()
    program.symlink_to(machine.valet.resolve())
    try:
        with tempfile.TemporaryDirectory(prefix="valet-") as short, Terminal(desk, Path(short) / "tmux") as terminal:
            for command, words in BARE:
                terminal.says(report, command, words)
            reads_well(report, terminal, folder / "bare.txt")
    except NoEnd as error:
        report.check("no exception", False, str(error))


def reads_well(report: Report, terminal: Terminal, kept: Path) -> None:
    """Keeps what a terminal shows, and checks it for what no terminal must show."""
    text, raw = terminal.text(), terminal.text("-e")
    kept.write_text(text)
    control = "[\x00-\x09\x0b-\x1f\x7f-\x9f]"
    report.equal("no control characters", re.findall(control, text), [])
    # Colours (ECMA-48, SGR) are for whoever looks at a terminal; nothing else is.
    report.equal("and nothing but colours", re.findall(control, re.sub("\x1b\\[[0-9;]*m", "", raw)), [])
    for_a_log = [line for line in text.splitlines() if re.search(r"::|\bpanicked\b|^\d{4}-\d\d-\d\dT", line)]
    report.equal("no line that is for a log", for_a_log, [])
    report.equal("nothing is said twice in a row", [a for a, b in zip(text.splitlines(), text.splitlines()[1:]) if a.strip() and a == b], [])


class Terminal:
    """A shell at the desk, in tmux."""

    def __init__(self, desk: Desk, socket: Path) -> None:
        """`socket`: where tmux listens."""
        self._desk = desk
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        variables = {**desk.variables, "PS1": "$ ", "TERM": "tmux-256color", "LANG": "C.UTF-8"}
        shell = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), "bash", "--norc", "--noprofile", "-i"]
        size = ["-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(desk.folder)]
        self._run("new-session", "-d", *size, shlex.join(shell))
        self._prompts = 0
        self._prompt()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._run("kill-server")

    def says(self, report: Report, command: str, words: list[str]) -> None:
        """Types a line, which has to say all of these, in this order."""
        said, place = self.type(command), 0
        name = command.split("  #")[0].strip()
        for expected in words:
            # A line that is wider than the terminal goes on in the next one.
            at = said.find(expected, place)
            report.check(f"`{name}` says `{expected}`", at >= 0, repr(said))
            place = max(at, place)

    def leave_running(self, command: str, words: str) -> None:
        """Types a line and waits until that says these."""
        self._enter(command)
        wait(lambda: words in self.text(), f"`{command}` says `{words}`; the terminal shows: {self.text()}")

    def interrupt(self) -> None:
        """Ctrl-C, and the prompt comes, behind the `^C` that the terminal shows."""
        self._run("send-keys", "C-c")
        wait(lambda: self.text().endswith("$\n"), f"the shell asks for a command; the terminal shows: {self.text()}")

    def type(self, command: str) -> str:
        """Types a line and waits for its end; what it said. Who is shown a code enters it."""
        before = len(self.text())
        self._enter(command)
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

    def _enter(self, command: str) -> None:
        self._run("send-keys", "-l", command)
        self._run("send-keys", "Enter")

    def _prompt(self) -> None:
        wait(lambda: self._count() > self._prompts, f"the shell asks for a command; the terminal shows: {self.text()}")
        self._prompts = self._count()

    def _count(self) -> int:
        return sum(line == "$" or line.startswith("$ ") for line in self.text().splitlines())

    def _run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout
