"""The ways of signing in, as met by real clients and a real browser. README.md says how to run it."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import contextlib
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
sys.path.insert(0, str(CLIENTS / "harness"))

import canaries
import clock
import documents
import environment
import expected
import job
import lines
import modes
import namespace
import packages
import servers
from emulator import API
from modes import Mode
from report import Report

# What this is, where it does not run.
JOB = "the clients of sign-in sessions"

# For all cases of one suite.
PATIENCE = 900

# The suites in Python: the list of requirements of ../python, and the program. The others are run by the Node that is
# packaged with ../node.
PYTHON = {"python-1": ("1", "sdk.py"), "python-2": ("2", "sdk.py"), "fastmcp": ("fastmcp", "fast.py")}
SUITES = list(dict.fromkeys(suite for mode in modes.MODES for suite in mode.suites))

# Everything that Valet would ever say, so that the search for secrets is one in that. Of wasmtime there is too much of it, about types.
LOG = {"VALET_LOG": "trace,wasmtime=warn"}


def main() -> int:
    options = parse()
    if options.inside:
        return inside(options)
    try:
        unshare = namespace.commands()
    except namespace.NotPossible as reason:
        return job.not_run(JOB, str(reason))
    try:
        prepare(options)
    except packages.Unsuitable as reason:
        return job.not_run(JOB, str(reason))
    except (packages.Unusable, environment.Unusable) as error:
        print(f"FAILED session: the packages could be installed: {error}\n0 passed, 1 failed")
        return 1
    return subprocess.run([*unshare, sys.executable, "-B", str(HERE / "run.py"), "--inside", *sys.argv[1:]]).returncode


def prepare(options: argparse.Namespace) -> dict[str, Path]:
    """What needs a network, once: where things are by name. They are those of the other jobs, and beside them."""
    beside = options.work.resolve().parent
    found = {"clients": packages.install(CLIENTS / "node", beside / "node"), "own": packages.install(HERE, beside / "session"),
             "conformance": packages.install(CLIENTS.parent / "conformance", beside / "conformance")}
    found["node"] = packages.node(found["clients"])
    for line, _ in PYTHON.values():
        found[line] = environment.prepare(beside / "python", CLIENTS / "python" / f"requirements-{line}.txt")
    return found


def inside(options: argparse.Namespace) -> int:
    """In a network of its own: at the usual port and under names of its own, as documents of clients have to be."""
    report, work = Report(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    installed = prepare(options)
    try:
        namespace.furnish({modes.HOST: "127.0.0.1", documents.HOST: documents.ADDRESS}, work)
    except namespace.NotPossible as reason:
        return job.not_run(JOB, str(reason))
    # Pictures of an earlier run would be searched for this one's secrets.
    shutil.rmtree(work / "screenshots", ignore_errors=True)
    time = clock.of(work)
    try:
        for mode in modes.MODES:
            suites = [suite for suite in mode.suites if options.only in suite]
            if suites and options.mode in ("", mode.name):
                run_mode(mode, suites, options, installed, time, report)
    except servers.NotStarted as error:
        report.check("the servers could be started", False, str(error))
    code = report.end()
    lacking = missing(time)
    return job.not_run(JOB, f"in part: {lacking}; everything else passed") if code == 0 and lacking else code


def run_mode(
    mode: Mode, suites: list[str], options: argparse.Namespace, installed: dict[str, Path], time: clock.Clock, report: Report
) -> None:
    """Its suites, one after the other, with servers of its own; then the search in what they left behind."""
    work = options.work.resolve()
    folder = work / mode.name
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    site = servers.certificate(work, "client", documents.HOST)
    rules = f"{servers.RULES}\n{mode.rules}"
    with (
        documents.served(site),
        servers.started_with_sessions(programs, folder, modes.HOST, rules, [site], {**time.variables, **LOG, **mode.variables}) as target,
        contextlib.ExitStack() as ended,
    ):
        # Its own codes and refresh tokens, whatever else comes of the suites.
        ended.callback(lambda: canaries.keep_issued(folder, target.emulator.ask("GET", "issued")))
        registrations = mode.registered.toml(options.emulator) if mode.registered else ""
        if registrations:
            target.emulator.ask("POST", "registrations", {"toml": registrations})
        target.ca_files.append(site)
        context = write_context(mode, target, registrations, installed, time, work)
        for suite in suites:
            run_suite(suite, mode, installed, target, context, options.case, report)
        report.section(f"{mode.name}, the server's log")
        # Some sessions are ended at Entra, which Graph then tells; and policies want something of a person.
        target.check_log(report, meant=["assertion_refused", "interaction_required"])
        if report.failed:
            target.show_logs()
    report.section(f"{mode.name}, what is left behind")
    # Where only a part ran, not every kind of secret was there.
    whole = not options.only and not options.case
    fixed = {"the client's secret": modes.SECRET, "Valet's secret": servers.CLIENT_SECRET}
    pictures = work / "screenshots"
    kinds = canaries.KINDS | (set(canaries.COOKIES.values()) if mode.name == "session" else set())
    if mode.variables and not (folder / modes.STORE).exists():
        report.check("there is a store to search", False, str(folder / modes.STORE))
    canaries.search(report, folder, kinds if whole else set(), fixed, [pictures] if any("chromium" in suite for suite in suites) else [])


def missing(time: clock.Clock) -> str:
    """What this machine lacks for all cases."""
    lacking = [] if job.chromium() else ["chromium"]
    if time.file is None:
        lacking.append("faketime")
    return job.lacking(lacking)


def run_suite(
    suite: str, mode: Mode, installed: dict[str, Path], target: servers.Target, context: Path, case: str, report: Report
) -> None:
    if suite in PYTHON:
        runner, script = PYTHON[suite]
        command = [str(installed[runner]), "-B", str(HERE / script)]
    else:
        command = [str(installed["node"]), str(HERE / f"suite-{suite}.mjs")]
    folder = context.parent
    variables = {
        "MCP_NODE_CONTEXT": str(context), "ENTRA_NODE_CASE": case, "MCP_CANARIES": str(folder / canaries.FILE),
        # Node reads further certificates when a process starts.
        "NODE_EXTRA_CA_CERTS": str(target.bundle(folder / "trusted-by-clients.pem")),
    }
    lines.follow(f"{mode.name}, {suite}", command, report, PATIENCE, variables, folder / f"suite-{suite}.log")


def write_context(
    mode: Mode, target: servers.Target, registrations: str, installed: dict[str, Path], time: clock.Clock, work: Path
) -> Path:
    """The file that context.mjs and the suites in Python read."""
    client = mode.ids[modes.BEFOREHAND]
    users = {
        user: {"whoami": expected.whoami(user, client), "profile": expected.PROFILES[user], "text": expected.PROFILE_TEXTS[user]}
        for user in expected.PROFILES
    }
    folder = target.configuration.parent
    context = {
        "mode": mode.facts(), "url": target.url, "scope": mode.scope, "authority": target.emulator.authority,
        "folder": str(folder), "homes": str(folder / "homes"), "pages": str(folder / "pages"),
        "packages": str(installed["clients"]), "own_packages": str(installed["own"]), "conformance": str(installed["conformance"]),
        "expected": {"client_id": client, "scope": expected.SCOPE, "api": API, "users": users},
        "confidential": {"id": modes.CONFIDENTIAL, "secret": modes.SECRET}, "document": documents.URL,
        "registrations": registrations, "web_redirect": f"https://{documents.HOST}/callback", "ca_files": [str(file) for file in target.ca_files],
        "clock": str(time.file) if time.file else None,
        "chromium": job.chromium(), "screenshots": str(work / "screenshots"),
    }
    file = folder / "context.json"
    file.write_text(json.dumps(context))
    return file


def parse() -> argparse.Namespace:
    kept = "logs and screenshots; packages are installed beside it"
    parser = job.parser_with_cases(__doc__, servers.work("session"), kept, SUITES)
    parser.add_argument("--mode", default="", choices=[mode.name for mode in modes.MODES], help="one of them alone")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    servers.run(main)
