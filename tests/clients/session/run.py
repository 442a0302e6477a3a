"""Valet's own authorization server, as met by real clients and a real browser. README.md says how to run it."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
sys.path.insert(0, str(CLIENTS / "harness"))

import clock
import documents
import environment
import expected
import lines
import namespace
import packages
import servers
from emulator import API
from report import Report

# Exit code of a job that this machine does not allow (the convention of automake and meson).
NOT_RUN = 77

# For all cases of one suite.
PATIENCE = 900

# What runs each suite: a list of requirements of ../python, or the Node that is packaged with ../node.
SUITES = {
    "sdk-1": "node", "sdk-2": "node", "mcp-remote": "node", "inspector": "node", "relying-parties": "node",
    "conformance": "node", "python-1": "1", "python-2": "2", "fastmcp": "fastmcp", "chromium": "node",
}
PYTHON = {"1": "sdk.py", "2": "sdk.py", "fastmcp": "fast.py"}

HOST = "valet.example"

# Where Debian, Ubuntu and Google have it.
CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

# Registered beforehand: a public client, and one with a secret whose SHA-256 stands here.
PUBLIC, CONFIDENTIAL = "tests", "tests-with-a-secret"
SECRET = "a secret for these tests only"
SHA256 = "5e5c895510bffc9e3bcc56c6126a6dbbb68f721bb8388b2811d590a08e656748"

RULES = f"""{servers.RULES}
[oauth]
mode = "session"
client_document_hosts = ["{documents.HOST}"]
client_documents_at_private_addresses = true
registration_redirects = ["loopback"]
[[oauth.clients]]
client_id = "{PUBLIC}"
client_name = "The tests"
redirect_uris = {json.dumps(documents.REDIRECT_URIS)}
[[oauth.clients]]
client_id = "{CONFIDENTIAL}"
client_name = "The tests’ website"
redirect_uris = ["https://{documents.HOST}/callback"]
client_secret_sha256 = "{SHA256}"
"""


def main() -> int:
    options = parse()
    if options.inside:
        return inside(options)
    try:
        unshare = namespace.commands()
    except namespace.NotPossible as reason:
        return not_run(str(reason))
    try:
        prepare(options)
    except packages.Unsuitable as reason:
        return not_run(str(reason))
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
    for line in PYTHON:
        found[line] = environment.prepare(beside / "python", CLIENTS / "python" / f"requirements-{line}.txt")
    return found


def inside(options: argparse.Namespace) -> int:
    """In a network of its own: at the usual port and under names of its own, as documents of clients have to be."""
    report, work = Report(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    installed = prepare(options)
    try:
        namespace.furnish({HOST: "127.0.0.1", documents.HOST: documents.ADDRESS}, work)
    except namespace.NotPossible as reason:
        return not_run(str(reason))
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    time = clock.of(work)
    try:
        site = servers.certificate(work, "client", documents.HOST)
        with (
            documents.served(site),
            servers.started_with_sessions(programs, work / "servers", HOST, RULES, [site], time.variables) as target,
        ):
            target.ca_files.append(site)
            context = write_context(target, installed, time, work)
            for suite, runner in SUITES.items():
                if options.only in suite:
                    run_suite(suite, runner, installed, target, context, options.case, report)
            report.section("the server's log")
            # Some sessions are ended at Entra, which Graph then tells.
            target.check_log(report, meant="assertion_refused")
            if report.failed:
                target.show_logs()
    except servers.NotStarted as error:
        report.check("the servers could be started", False, str(error))
    code = report.end()
    lacking = missing(time)
    return not_run(f"in part: {lacking}; everything else passed") if code == 0 and lacking else code


def missing(time: clock.Clock) -> str:
    """What this machine lacks for all cases."""
    lacking = [] if any(Path(file).exists() for file in CHROMIUM) else ["chromium"]
    if time.file is None:
        lacking.append("faketime")
    return f"not installed: {' '.join(lacking)} (Debian and Ubuntu: apt-get install {' '.join(lacking)})" if lacking else ""


def run_suite(
    suite: str, runner: str, installed: dict[str, Path], target: servers.Target, context: Path, case: str, report: Report
) -> None:
    if runner == "node":
        command = [str(installed["node"]), str(HERE / f"suite-{suite}.mjs")]
    else:
        command = [str(installed[runner]), "-B", str(HERE / PYTHON[runner])]
    trusted = str(target.bundle(context.with_name("trusted-by-clients.pem")))
    # Node reads further certificates when a process starts.
    variables = {"MCP_NODE_CONTEXT": str(context), "NODE_EXTRA_CA_CERTS": trusted, "ENTRA_NODE_CASE": case}
    lines.follow(suite, command, report, PATIENCE, variables)


def write_context(target: servers.Target, installed: dict[str, Path], time: clock.Clock, work: Path) -> Path:
    """The file that context.mjs and the suites in Python read."""
    users = {
        user: {"whoami": expected.whoami(user, PUBLIC), "profile": expected.PROFILES[user], "text": expected.PROFILE_TEXTS[user]}
        for user in expected.PROFILES
    }
    folder = target.configuration.parent
    context = {
        "url": target.url, "scope": target.scope, "authority": target.emulator.authority, "folder": str(folder),
        "packages": str(installed["clients"]), "own_packages": str(installed["own"]),
        "conformance": str(installed["conformance"]),
        "expected": {"client_id": PUBLIC, "scope": expected.SCOPE, "api": API, "users": users},
        "confidential": {"id": CONFIDENTIAL, "secret": SECRET}, "document": documents.URL,
        "web_redirect": f"https://{documents.HOST}/callback", "ca_files": [str(file) for file in target.ca_files],
        "clock": str(time.file) if time.file else None, "chromium": next((file for file in CHROMIUM if Path(file).exists()), None), "screenshots": str(work / "screenshots"),
    }
    file = folder / "context.json"
    file.write_text(json.dumps(context))
    return file


def not_run(reason: str) -> int:
    """Says so aloud: a job that did not run must not be taken for one that passed."""
    print(f"NOT RUN: the clients of sign-in sessions were NOT RUN: {reason}", flush=True)
    return NOT_RUN


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--valet", metavar="PROGRAM", type=Path, required=True)
    parser.add_argument("--emulator", metavar="PROGRAM", type=Path, required=True)
    parser.add_argument("--artifacts", metavar="FOLDER", type=Path, required=True, help="the folder with the .cwasm files")
    parser.add_argument("--work", metavar="FOLDER", type=Path, default=servers.work("session"),
                        help="for logs and screenshots; packages are installed beside it (default: %(default)s)")
    parser.add_argument("--only", default="", help=f"part of a suite's name: {' '.join(SUITES)}")
    parser.add_argument("--case", default="", help="part of a case's line")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    servers.run(main)
