"""Whoever ends in the middle of a sign-in: by Ctrl-C, by a signal, by a client that leaves, by a client that dies. Nothing stays behind, the cache is
what it was, and the next start works."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import broker
import expected
import keychain
import steps
from broker import Broker
from desk import ADELE, Desk, Machine, NoEnd, Process, in_session, wait
from report import Report
from steps import TOOL, Step

COMMANDS = ("stdio", "login")


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """All steps, all ways."""
    with contextlib.ExitStack() as running:
        # A socket's path has 108 bytes, which is little for a folder below others.
        short = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="valet-")))
        (short / "silent").mkdir()
        fake = None if keychain.missing() else running.enter_context(broker.started(machine.python, short / "broker"))
        for step in steps.all_of(machine, fake, short / "silent"):
            run_step(step, machine, folder, report, case)
            for command in COMMANDS if step.name == steps.WINDOW else ():
                if case in line(step.name, unanswered(command)):
                    report.section(line(step.name, unanswered(command)))
                    try:
                        broker_that_is_deaf(report, step, machine, folder, command)
                    except NoEnd as error:
                        report.check("no exception", False, str(error))


def unanswered(command: str) -> str:
    return f"`valet {command}`, Ctrl-C, and the broker does not answer"


def line(step: str, way: str) -> str:
    return f"local, endings, {step}, {way}"


def run_step(step: Step, machine: Machine, folder: Path, report: Report, case: str) -> None:
    for name, command, end, code in WAYS:
        if command not in step.commands or case not in line(step.name, name):
            continue
        report.section(line(step.name, name))
        found = step.prepare(machine, folder / re.sub("[^a-z]+", "-", f"{step.name} {name}"), command)
        try:
            one(report, found, step, command, end, code)
        except NoEnd as error:
            report.check("no exception", False, str(error))
        finally:
            step.resume(found)


def one(
    report: Report, found: Desk, step: Step, command: str, end: Callable[[Desk, Step, str], tuple[int, int | None]], expected_code: int | None
) -> None:
    before = state(found)
    session, code = end(found, step, command)
    wait(lambda: not in_session(session), "whatever it started has ended")
    report.check("it ends, and nothing that it started lives on", True)
    report.equal("as it should", code, expected_code)
    report.equal("the cache is what it was", state(found), before)
    calls = step.asked(killed=code == -signal.SIGKILL)
    if calls is not None:
        broker_was_asked(report, step.broker, calls)
    step.resume(found)
    opened = len(found.opened)
    process = found.start("stdio")
    knows_nobody = command == "stdio" and not step.signed_in
    by_code = bool(step.local)
    try:
        if knows_nobody and by_code:
            words = process.result(TOOL)["content"][0]["text"]
            report.contains("the next start has a code", words, "enter the code")
            found.enter_code(words)
        report.equal("the next start works", process.result(TOOL).get("structuredContent"), expected.PROFILES[ADELE])
        report.equal("browsers for that", len(found.opened) - opened, 1 if knows_nobody and not by_code else 0)
        process.close_input()
        report.equal("and ends", process.end(), 0)
    finally:
        process.kill()


def broker_was_asked(report: Report, of: Broker, calls: list[str]) -> None:
    """Before the process has ended, so there is nothing to wait for."""
    told = of.told
    report.equal("what the broker was asked", [call for call, _ in told], calls)
    report.equal("of one sign-in", len({correlation for _, correlation in told}), 1)


def broker_that_is_deaf(report: Report, step: Step, machine: Machine, folder: Path, command: str) -> None:
    """It is waited for, and not without end."""
    found = step.prepare(machine, folder / f"deaf-broker-{command}", command)
    step.broker.will("deaf")
    process = begun(found, step, command)
    process.child.send_signal(signal.SIGINT)
    report.equal("it ends as it should", process.end(), 0 if command == "stdio" else 128 + signal.SIGINT)
    report.equal("after it has told the broker", step.broker.calls[-1], "cancelInteractiveFlow")
    report.contains("and has waited for its answer", process.err, "the broker has not taken its window away in time")


def state(found: Desk) -> dict[str, Any]:
    """Every file of the cache but the lock, whose stamp says no more than that somebody has looked."""
    return {file.name: json.loads(file.read_text()) for file in (found.folder / "state").glob("*") if file.name != "tokens.lock"}


def begun(found: Desk, step: Step, command: str) -> Process:
    """It has come to that step."""
    process = found.start(command)
    if command == "stdio":
        process.call(TOOL)
    try:
        wait(lambda: step.reached(found), step.name, who=process)
    except NoEnd:
        process.kill()
        raise
    return process


def by_signal(number: int) -> Callable[[Desk, Step, str], tuple[int, int]]:
    def end(found: Desk, step: Step, command: str) -> tuple[int, int]:
        process = begun(found, step, command)
        process.child.send_signal(number)
        return process.child.pid, process.end()
    return end


def by_leaving(found: Desk, step: Step, command: str) -> tuple[int, int]:
    """As the specification has clients do it: they close the input."""
    process = begun(found, step, command)
    process.close_input()
    code = process.end()
    # A request that is under way may end; a person is not waited for.
    if step.waits_for_person and "some requests did not end in time" in process.err:
        raise NoEnd(f"{step.name}: it was waited for a person who cannot be answered any more")
    return process.child.pid, code


# A client that has started a server and asked it something. It tells the server's process id and waits to be killed.
CLIENT = """
import json, subprocess, sys, time
command, request, log = json.loads(sys.argv[1])
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "ab"), start_new_session=True)
server.stdin.write(request.encode() + b"\\n")
server.stdin.flush()
print(server.pid, flush=True)
time.sleep(600)
"""


def by_dying(found: Desk, step: Step, command: str) -> tuple[int, None]:
    """The client is killed: nobody closes anything, the system does."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": TOOL, "arguments": {}, "_meta": meta}}
    told = [found.command(command, recorded=False), json.dumps(request), str(found.folder / "died.err")]
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, json.dumps(told)], cwd=found.folder, env=found.variables, stdout=subprocess.PIPE, text=True
    )
    server = int(client.stdout.readline())
    try:
        wait(lambda: step.reached(found), step.name)
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
    try:
        wait(lambda: not in_session(server), "the server has ended")
    except NoEnd:
        os.kill(server, signal.SIGKILL)
        raise
    return server, None


# Of each: the command, and the exit code (below 0: the signal). None where nobody is left to be told.
WAYS = [
    ("Ctrl-C", "stdio", by_signal(signal.SIGINT), 0),
    ("SIGTERM", "stdio", by_signal(signal.SIGTERM), 0),
    ("killed", "stdio", by_signal(signal.SIGKILL), -signal.SIGKILL),
    ("the client leaves", "stdio", by_leaving, 0),
    ("the client dies", "stdio", by_dying, None),
    ("the terminal closes", "stdio", by_signal(signal.SIGHUP), 0),
    ("`valet login`, Ctrl-C", "login", by_signal(signal.SIGINT), 128 + signal.SIGINT),
    ("`valet login`, SIGTERM", "login", by_signal(signal.SIGTERM), 128 + signal.SIGTERM),
    ("`valet login`, killed", "login", by_signal(signal.SIGKILL), -signal.SIGKILL),
    ("`valet login`, the terminal closes", "login", by_signal(signal.SIGHUP), 128 + signal.SIGHUP),
]
