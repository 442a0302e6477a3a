"""docs/local-server.md, from nothing to a profile, as a newcomer types it: the commands and the file that stand there, character for character, in two
terminals, with the emulator at its usual port and the server started by what was written for the client.

run.py starts this file as a program of its own, in a network of its own. The commands that build are left out: the clone has what was built."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import expected
import job
import keychain
import lines
import namespace
from desk import ADELE, Desk, Machine, NoEnd, Process
from emulator import Emulator
from recording import WHO, Terminal, reads_well
from report import Report

GUIDE = HERE.parents[2] / "docs" / "local-server.md"
SECTION = "## From nothing to a profile, without a tenant\n"
OWN_TENANT = "## With your own tenant\n"

# What a reader writes in the place of what is in angle brackets.
IDS = {"<tenant id>": expected.TENANT_ID, "<application id>": expected.CLIENT_ID}

# What is built is there already.
NOT_TYPED = "cargo xtask build"

# Until the emulator has said all of it.
STARTED = "Ctrl-C ends it."

# What has to follow the commands of the guide. A command that is not here is one that nobody has looked at.
FOLLOWS = {
    "export": [],
    "valet check": ["valet.toml is good for `valet stdio`", "tools: GetUserDetailsFromGraph, whoami"],
    "valet login": [f"Signed in: {WHO}", "Next: `valet install --client vscode`"],
    "valet whoami": [WHO],
    "valet install": ["mcp.json: added `valet`"],
    "valet uninstall": ["removed `valet`"],
    "valet logout": [f"Signed out: {WHO}"],
}

# What every sign-in asks for, beside permissions.
OPENID = {"openid", "profile", "offline_access"}

PATIENCE = 300


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """Runs this file in a network in which the emulator's port is free."""
    if case not in "local, guide":
        return
    if lacking := missing():
        print(f"NOT RUN: local, guide: {lacking}")
        return
    folder.mkdir(parents=True)
    programs = json.dumps({
        "valet": str(machine.valet.resolve()), "emulator": str(machine.emulator_program.resolve()),
        "artifacts": str(machine.artifacts.resolve()), "folder": str(folder),
    })
    command = [*namespace.commands(), sys.executable, "-B", str(HERE / "guide.py"), programs]
    lines.follow("local, guide", command, report, PATIENCE, log=folder / "client.log")


def missing() -> str:
    """Why it cannot be run here."""
    packages = [*keychain.missing(), *([] if shutil.which("tmux") else ["tmux"])]
    try:
        namespace.commands()
    except namespace.NotPossible as reason:
        return str(reason)
    return job.lacking(packages)


def blocks(section: str = SECTION) -> list[tuple[str, str]]:
    """What a section has to be typed or written: the language of each block, and the block."""
    text = GUIDE.read_text()
    begin = text.index(section)
    return re.findall("```(\\w+)\n(.*?)```", text[begin:text.index("\n## ", begin + 1)], re.DOTALL)


def clone(programs: dict[str, str], folder: Path, bus: str) -> Desk:
    """A desk whose folder is the clone, after the build. Nothing but the guide's own commands leads to its programs."""
    authority = Emulator("https://localhost:8444", [folder / "emulator-state" / "emulator-ca.pem"])
    emulator, artifacts = Path(programs["emulator"]), Path(programs["artifacts"])
    desk = Desk(Machine(Path(programs["valet"]), artifacts, authority, bus, emulator), folder, keychain=True)
    for file in ("valet.toml", "bin/valet"):
        (folder / file).unlink()
    for there, here in (("debug/valet", programs["valet"]), ("debug/entra-emulator", programs["emulator"]), ("valet/native", artifacts)):
        file = folder / "target" / there
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(here)
    return desk


def typed(report: Report, terminal: Terminal, block: str) -> None:
    """Each line as it stands there, remark and all."""
    for line in block.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        name = " ".join(words[:2]) if words[0] == "valet" else words[0]
        if line.startswith(NOT_TYPED):
            print(f"local, guide: `{NOT_TYPED}` is not typed: this job is given what it builds")
        elif name == "entra-emulator":
            terminal.leave_running(line, STARTED)
        elif name not in FOLLOWS:
            report.check(f"`{line}` is known to this job", False)
        else:
            terminal.says(report, line, FOLLOWS[name])


def asked_in_the_client(report: Report, desk: Desk) -> None:
    """The client starts what stands in its configuration; the first call asks for consent in the browser, the next is silent."""
    file = desk.folder / "home" / ".config" / "Code" / "User" / "mcp.json"
    server = json.loads(file.read_text())["servers"]["valet"]
    command, configuration = server["command"], server["args"][-1]
    report.check("the client finds both from wherever it is", all(Path(path).is_absolute() for path in (command, configuration)), f"{server}")
    before = len(desk.opened)
    process = Process(desk, ["client"], [command, *server["args"]])
    try:
        for what, browsers in (("the first call", 1), ("the second call", 0)):
            result = process.result("GetUserDetailsFromGraph")
            report.equal(f"{what}: the profile", result.get("structuredContent", result), expected.PROFILES[ADELE])
            report.equal(f"{what}: browsers", len(desk.opened) - before, browsers)
            before = len(desk.opened)
        report.equal("what the person saw there", desk.visits[-1]["pages"], ["account", "consent"])
        (scope,) = urllib.parse.parse_qs(urllib.parse.urlsplit(desk.opened[-1][-1]).query)["scope"]
        permissions = [word.rpartition("/")[2] for word in scope.split() if word not in OPENID]
        report.equal("for `User.Read` and nothing else", permissions, ["User.Read"])
        process.close_input()
        report.equal("it ends with its client", process.end(), 0)
    finally:
        process.kill()


def followed(report: Report, programs: dict[str, str], short: Path, bus: str) -> None:
    folder = Path(programs["folder"])
    desk = clone(programs, folder / "clone", bus)
    kinds = [kind for kind, _ in blocks()]
    report.equal("it is made of commands, a file, commands, and commands at the end", kinds, ["sh", "toml", "sh", "sh"])
    (_, first), (_, configuration), (_, second), (_, end) = blocks()
    report.check("it begins with the build", first.startswith(NOT_TYPED), first)
    with Terminal(desk, short / "1") as one:
        typed(report, one, first)
        desk.write("valet.toml", configuration)
        with Terminal(desk, short / "2") as other:
            typed(report, other, second)
            other.says(report, "valet accounts", [f"* {WHO}"])
            asked_in_the_client(report, desk)
            # As far as that goes without a tenant.
            ((_, own),) = blocks(OWN_TENANT)
            desk.write("own.toml", re.sub("<.*?>", lambda found: IDS[found[0]], own))
            other.says(report, "valet check --config own.toml", ["own.toml is good for `valet stdio`"])
            typed(report, other, end)
            other.says(report, "valet whoami", ["nobody is signed in; `valet login` signs you in"])
            reads_well(report, other, folder / "second-terminal.txt")
        one.interrupt()
        reads_well(report, one, folder / "first-terminal.txt")


def main() -> int:
    """In the network of its own."""
    programs, report = json.loads(sys.argv[1]), Report()
    report.section("local, guide")
    with tempfile.TemporaryDirectory(prefix="valet-") as short:
        try:
            namespace.furnish({}, Path(short))
            with keychain.unlocked(Path(short) / "bus") as bus:
                followed(report, programs, Path(short), bus)
        except (NoEnd, namespace.NotPossible, subprocess.SubprocessError, ValueError, OSError) as error:
            report.check("no exception", False, repr(error))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
