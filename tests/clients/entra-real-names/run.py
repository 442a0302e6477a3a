#!/usr/bin/env python3
"""The emulator under Microsoft's own host names, in a network without a way out. README.md says how to run it."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

import argparse
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
sys.path.append(str(CLIENTS / "harness"))

import environment
import namespace
from report import Report

# What others count as "not run": neither passed nor failed (the convention of automake and meson).
NOT_RUN = 77

# For all cases of one client program.
PATIENCE = 300

LOGIN = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]

# Variables that would steer the clients; only the certificate authority may.
STEERING = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "PYTHON", "NODE_", "REQUESTS_", "CURL_", "SSL_")


class NotStarted(Exception):
    """The emulator did not start, and why."""


def main() -> int:
    options = parse()
    if options.inside:
        return inside(options)
    try:
        unshare = namespace.commands()
    except namespace.NotPossible as reason:
        return not_run(str(reason))
    work = options.work.resolve()
    try:
        options.packages, options.python = prepare(options, work)
    except environment.Unusable as error:
        print(f"FAILED real names: could be prepared: {error}\n0 passed, 1 failed")
        return 1
    command = [
        *unshare, sys.executable, "-B", str(HERE / "run.py"), "--inside", "--emulator", str(options.emulator.resolve()),
        "--work", str(work), "--python", str(options.python),
    ]
    try:
        return subprocess.run(command).returncode
    finally:
        for name in ("registered", "stranger", "cluster"):
            for ending in ("key", "pem"):
                (work / f"{name}.{ending}").unlink(missing_ok=True)


def prepare(options: argparse.Namespace, work: Path) -> tuple[Path | None, Path]:
    """What needs a network: the packages of both languages; and what the clients must know."""
    work.mkdir(parents=True, exist_ok=True)
    packages = [str(options.packages.resolve())] if options.packages else []
    node = subprocess.run(["node", str(HERE / "prepare.mjs"), str(work), *packages])
    if node.returncode != 0:
        raise environment.Unusable("the Node packages could not be prepared")
    python = options.python or environment.prepare(work, CLIENTS / "entra-python" / "requirements.txt")
    return options.packages, python


def inside(options: argparse.Namespace) -> int:
    """In the namespace: prove that it is closed, start the emulator on 443, run the clients."""
    report = Report()
    report.section("real names: the network")
    context = json.loads((options.work / "context.json").read_text())
    names = [*LOGIN, "graph.microsoft.com", f"{context['vault']['name']}.vault.azure.net"]
    try:
        namespace.furnish(dict.fromkeys(names, "127.0.0.1"), options.work)
    except namespace.NotPossible as reason:
        return not_run(str(reason))
    try:
        for sentence in [*namespace.prove_closed(), *namespace.prove_names(names)]:
            report.check(sentence, True)
    except namespace.NotClosed as reason:
        # Here nothing may start: a client could reach Microsoft.
        report.check("is closed, so that nothing can reach the real hosts", False, str(reason))
        return report.end()
    state = options.work / "state"
    shutil.rmtree(state, ignore_errors=True)
    (options.work / "ready.json").unlink(missing_ok=True)
    log = options.work / "emulator.log"
    with log.open("w") as output:
        emulator = subprocess.Popen(
            [
                str(options.emulator), "--real-names", "--bind", "127.0.0.1:443", "--managed-identity",
                f"{namespace.MACHINE}:80", "--config", str(options.work / "registrations.toml"), "--state", str(state),
                "--ready-file", str(options.work / "ready.json"), "--log",
            ],
            stdout=output, stderr=subprocess.STDOUT,
        )
        try:
            facts = ready(emulator, options.work / "ready.json")
            failed = report.failed
            run_clients(options, facts["ca_file"], report)
            if report.failed > failed:
                print(f"the emulator's log of these cases: {log}", file=sys.stderr)
        except NotStarted as error:
            report.check("the emulator started", False, f"{error}\n{log.read_text()}")
        finally:
            emulator.terminate()
            emulator.wait()
    return report.end()


def ready(emulator: subprocess.Popen[bytes], file: Path) -> dict[str, str]:
    """What the emulator writes once its ports are open."""
    deadline = time.monotonic() + 60
    while not file.exists():
        if emulator.poll() is not None:
            raise NotStarted(f"it ended with {emulator.returncode}")
        if time.monotonic() > deadline:
            raise NotStarted("there is no ready file")
        time.sleep(0.05)
    return json.loads(file.read_text())


def run_clients(options: argparse.Namespace, ca_file: str, report: Report) -> None:
    """Both programs, with their default settings: nothing but the certificate authority is told to them."""
    variables = {name: value for name, value in os.environ.items() if not steers(name)}
    variables |= {
        "REQUESTS_CA_BUNDLE": ca_file, "SSL_CERT_FILE": ca_file, "NODE_EXTRA_CA_CERTS": ca_file,
        # The browser of the system, for the clients that open one. These are read by it alone.
        "BROWSER": str(CLIENTS / "entra-node" / "browser-command.mjs"), "ENTRA_NODE_USER": "adele@contoso.example",
    }
    context = str(options.work / "context.json")
    for language, command in (
        ("Node", ["node", str(HERE / "client.mjs"), context]),
        ("Python", [str(options.python), "-B", str(HERE / "client.py"), context]),
    ):
        run_client(language, command, variables, report)


def run_client(language: str, command: list[str], variables: dict[str, str], report: Report) -> None:
    """Runs one program, passes its lines on and counts them."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as client:
        seen = False
        late = threading.Timer(PATIENCE, client.kill)
        late.start()
        try:
            for line in client.stdout or ():
                if line == "end of the suite\n":
                    seen = True
                    continue
                print(line, end="", flush=True)
                if line.startswith(("ok ", "FAILED ")):
                    report.count(line.startswith("ok "))
        finally:
            late.cancel()
    report.check(f"the clients for {language} ran to their end", seen, f"exit code {client.returncode}")


def steers(name: str) -> bool:
    return name.startswith(STEERING) or name.lower().endswith("proxy")


def not_run(reason: str) -> int:
    """Says so aloud: a job that did not run must not be taken for one that passed."""
    print(f"NOT RUN: the real names job was NOT RUN: {reason}", flush=True)
    print(f"NOT RUN: exit code {NOT_RUN}", file=sys.stderr, flush=True)
    return NOT_RUN


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", metavar="PROGRAM", type=Path, required=True)
    parser.add_argument("--work", metavar="FOLDER", type=Path, required=True, help="for packages, keys and logs")
    parser.add_argument("--packages", metavar="FOLDER", type=Path, help="installed Node packages; else they are installed below --work")
    parser.add_argument("--python", metavar="PROGRAM", type=Path, help="Python with the packages; else an environment is made below --work")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def interrupted(*_: object) -> None:
    """Ends as on Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("run.py: interrupted")
