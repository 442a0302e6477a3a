"""The local server with its own sign-in, as met by real clients, a real browser and a real keychain. README.md says how to run it."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import contextlib
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
sys.path.insert(0, str(CLIENTS / "harness"))

import bearer
import endings
import environment
import expected
import guide
import job
import keychain
import lines
import packages
import recording
import rows
import secrecy
import servers
from desk import Desk, Machine
from report import Report

# What this is, where it does not run.
JOB = "the clients of the local server"

# For all cases of one suite.
PATIENCE = 1800

# The client suites: what runs them (Node as packaged with ../node, or a list of requirements of ../python), and their eras.
CLIENT_SUITES = {
    "sdk-1": ("node", ["legacy"]), "sdk-2": ("node", ["auto", "legacy"]), "inspector": ("node", ["modern", "legacy"]),
    "python-1": ("1", ["legacy"]), "python-2": ("2", ["auto", "legacy"]), "fastmcp": ("fastmcp", ["auto", "legacy"]),
}
PYTHON = {"1": "official.py", "2": "official.py", "fastmcp": "fast.py"}

# Those of this program itself.
OWN_SUITES = {"endings": endings.run, "rows": rows.run, "bearer": bearer.run, "recording": recording.run, "guide": guide.run}

DEVICE = 'steps = ["device-code"]'


def main() -> int:
    options, report = parse(), Report()
    if sys.platform != "linux":
        return job.not_run(JOB, "desks are made of Linux' programs")
    # A shell has what it starts in the background ignore Ctrl-C, and so would everything that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = options.work.resolve()
    try:
        installed = prepare(work)
    except packages.Unsuitable as reason:
        return job.not_run(JOB, str(reason))
    except (packages.Unusable, environment.Unusable) as error:
        report.check("the packages could be installed", False, str(error))
        return report.end()
    folder = work / "desks"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with contextlib.ExitStack() as running:
            emulator = running.enter_context(servers.emulator_alone(options.emulator, work / "servers"))
            # A socket's path has 108 bytes, which is little for a folder below others.
            short = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="valet-")))
            bus = None if keychain.missing() else running.enter_context(keychain.unlocked(short / "bus"))
            machine = Machine(options.valet, options.artifacts, emulator, bus, options.emulator, installed["fastmcp"])
            for suite in [*CLIENT_SUITES, "chromium", *OWN_SUITES]:
                if options.only in suite:
                    run_suite(suite, machine, folder / suite, installed, options, report)
            secrecy.check(folder, report, whole=not (options.only or options.case))
    except servers.NotStarted as error:
        report.check("the emulator could be started", False, str(error))
    code = report.end()
    lacking = missing()
    return job.not_run(JOB, f"in part: {lacking}; everything else passed") if code == 0 and lacking else code


def prepare(work: Path) -> dict[str, Path]:
    """What needs a network, once: where things are by name. They are those of the other jobs, and beside them."""
    beside = work.parent
    found = {name: packages.install(CLIENTS / name, beside / name) for name in ("node", "session")}
    found["program"] = packages.node(found["node"])
    for line in PYTHON:
        found[line] = environment.prepare(beside / "python", CLIENTS / "python" / f"requirements-{line}.txt")
    return found


def run_suite(
    suite: str, machine: Machine, folder: Path, installed: dict[str, Path], options: argparse.Namespace, report: Report
) -> None:
    if suite in OWN_SUITES:
        report.section(f"local, {suite}")
        OWN_SUITES[suite](machine, folder, report, options.case)
        return
    runner, desks = ("node", chromium_desks(machine, folder)) if suite == "chromium" else client_desks(suite, machine, folder)
    context = write_context(machine, desks, folder, installed, options.work.resolve())
    script = HERE / (f"suite-{suite}.mjs" if runner == "node" else PYTHON[runner])
    command = [str(installed["program"]), str(script)] if runner == "node" else [str(installed[runner]), "-B", str(script)]
    (ca,) = machine.emulator.ca_files
    # Node reads further certificates when a process starts.
    variables = {"MCP_NODE_CONTEXT": str(context), "NODE_EXTRA_CA_CERTS": str(ca), "ENTRA_NODE_CASE": options.case}
    lines.follow(suite, command, report, PATIENCE, variables, log=folder / "client.log")


def client_desks(suite: str, machine: Machine, folder: Path) -> tuple[str, dict[str, Desk]]:
    """One for each way in which the client meets the server."""
    runner, eras = CLIENT_SUITES[suite]
    desks = {}
    for era in eras:
        desks[f"{era}-plain"] = Desk(machine, folder / f"{era}-plain")
        desks[f"{era}-device"] = Desk(machine, folder / f"{era}-device", local=DEVICE)
        if suite == "sdk-2":
            desks[f"{era}-pages"] = Desk(machine, folder / f"{era}-pages", local=DEVICE)
        if machine.bus:
            desks[f"{era}-keychain"] = Desk(machine, folder / f"{era}-keychain", keychain=True)
    if suite == "sdk-1":
        # The bus is the machine's own here, so its broker is left alone.
        desks["little"] = Desk(machine, folder / "little", local='steps = ["browser", "device-code"]')
    if suite == "python-2":
        desks["hundred"] = Desk(machine, folder / "hundred")
    return runner, desks


def chromium_desks(machine: Machine, folder: Path) -> dict[str, Desk]:
    """Whose browser is Chromium: the suite looks where it is sent."""
    desks = {name: Desk(machine, folder / name) for name in ("login", "stdio", "declined", "closed", "page", "foreign", "again")}
    for desk in desks.values():
        desk.person_will("nothing")
    return desks


def write_context(machine: Machine, desks: dict[str, Desk], folder: Path, installed: dict[str, Path], work: Path) -> Path:
    """The file that context.mjs and the suites in Python read."""
    users = {
        # Nobody has given anybody a role on their own machine.
        user: {"whoami": {**expected.whoami(user), "roles": []}, "profile": expected.PROFILES[user], "text": expected.PROFILE_TEXTS[user]}
        for user in expected.PROFILES
    }
    context = {
        "authority": machine.emulator.authority, "folder": str(folder), "packages": str(installed["node"]),
        "session_packages": str(installed["session"]), "ca_files": [str(file) for file in machine.emulator.ca_files],
        "expected": {"client_id": expected.CLIENT_ID, "scope": expected.SCOPE, "users": users},
        "desks": {name: desk.as_server() for name, desk in desks.items()},
        "chromium": job.chromium(), "screenshots": str(work / "screenshots"),
    }
    file = folder / "context.json"
    file.write_text(json.dumps(context))
    return file


def missing() -> str:
    """What this machine lacks for all cases."""
    lacking = [] if job.chromium() else ["chromium"]
    lacking += keychain.missing()
    lacking += [] if shutil.which("tmux") else ["tmux"]
    rights = "" if os.geteuid() == 0 else "not root: L-3, a cache of another user"
    return "; ".join(filter(None, [job.lacking(lacking), rights, guide.missing()]))


def parse() -> argparse.Namespace:
    kept = "desks, recordings and screenshots; packages are installed beside it"
    suites = [*CLIENT_SUITES, "chromium", *OWN_SUITES]
    return job.parser_with_cases(__doc__, servers.work("local"), kept, suites).parse_args()


if __name__ == "__main__":
    servers.run(main)
