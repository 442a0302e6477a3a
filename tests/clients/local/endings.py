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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import broker
import expected
import keychain
from broker import Broker
from desk import ADELE, Desk, Machine, NoEnd, Process, in_session, wait
from report import Report

TOOL = "GetUserDetailsFromGraph"

COMMANDS = ("stdio", "login")

# Longer than any answer is waited for.
DELAY = 600


@dataclass(frozen=True)
class Step:
    """Where the sign-in is when it ends."""

    name: str
    # Lines of `[local]`.
    local: str = ""
    # Somebody has signed in before.
    signed_in: bool = False
    # The person does what is asked of them, and Entra does not answer what follows.
    redeems: bool = False
    # A broker of the machine that can open a window.
    broker: Broker | None = None

    def prepare(self, machine: Machine, folder: Path, command: str) -> Desk:
        found = Desk(machine, folder, local=self.local, bus=self.broker and self.broker.address)
        if self.broker:
            self.broker.will("refuses")
        # `valet login` has somebody sign in again, whose tokens are there already.
        if self.signed_in or command == "login":
            sign_in(found)
        if self.signed_in:
            found.lose_access_tokens()
        if self.signed_in or self.redeems:
            machine.emulator.ask("POST", "faults", {"endpoint": "token", "kind": "delay", "seconds": DELAY})
        found.person_will("accept" if self.redeems else "nothing")
        (found.folder / "opened").unlink(missing_ok=True)
        machine.emulator.ask("DELETE", "counts")
        if self.broker:
            self.broker.will("window")
        return found

    def reached(self, found: Desk) -> bool:
        """Known without asking the process."""
        emulator = found.machine.emulator
        if self.broker:
            return "acquireTokenInteractively" in self.broker.calls
        if self.signed_in or self.redeems:
            return emulator.delayed() > 0
        if self.local:
            return emulator.ask("GET", "counts")["counts"]["token"] > 0
        return bool(found.opened)

    def resume(self, found: Desk) -> None:
        """The world is well again."""
        found.machine.emulator.undisturbed()
        found.person_will("accept")
        if self.broker:
            # The browser comes next.
            self.broker.will("refuses")


BROWSER = Step("the browser is open")
CODE = Step("a device code is pending", local='steps = ["device-code"]')
REDEMPTION = Step("a code is being redeemed", redeems=True)
REFRESH = Step("a silent refresh is under way", signed_in=True)

# The name of one that needs a broker.
WINDOW = "the broker's window is open"


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """All steps, all ways."""
    with contextlib.ExitStack() as running:
        steps = [BROWSER, CODE, REDEMPTION, REFRESH]
        ways = [*(name for name, *_ in WAYS), *map(unanswered, COMMANDS)]
        if any(case in line(WINDOW, way) for way in ways) and not keychain.missing():
            # A socket's path has 108 bytes, which is little for a folder below others.
            short = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="valet-")))
            steps.append(Step(WINDOW, broker=running.enter_context(broker.started(machine.python, short / "broker"))))
        run_steps(steps, machine, folder, report, case)
        for command in COMMANDS:
            if case in line(WINDOW, unanswered(command)):
                report.section(line(WINDOW, unanswered(command)))
                try:
                    broker_that_is_deaf(report, steps[-1], machine, folder, command)
                except NoEnd as error:
                    report.check("no exception", False, str(error))


def unanswered(command: str) -> str:
    return f"`valet {command}`, Ctrl-C, and the broker does not answer"


def line(step: str, way: str) -> str:
    return f"local, endings, {step}, {way}"


def run_steps(steps: list[Step], machine: Machine, folder: Path, report: Report, case: str) -> None:
    for step in steps:
        for name, command, end, code in WAYS:
            if command == "login" and step is REFRESH:
                # It asks a person in any case.
                continue
            if case not in line(step.name, name):
                continue
            report.section(line(step.name, name))
            found = step.prepare(machine, folder / re.sub("[^a-z]+", "-", f"{step.name} {name}"), command)
            try:
                one(report, found, step, command, end, code)
            except NoEnd as error:
                report.check("no exception", False, str(error))
            finally:
                machine.emulator.undisturbed()


def one(
    report: Report, found: Desk, step: Step, command: str, end: Callable[[Desk, Step, str], tuple[int, int | None]], expected_code: int | None
) -> None:
    before = state(found)
    session, code = end(found, step, command)
    wait(lambda: not in_session(session), "whatever it started has ended")
    report.check("it ends, and nothing that it started lives on", True)
    report.equal("as it should", code, expected_code)
    report.equal("the cache is what it was", state(found), before)
    if step.broker:
        window_is_taken_away(report, step.broker, killed=code == -signal.SIGKILL)
    step.resume(found)
    opened = len(found.opened)
    process = found.start("stdio")
    knows_nobody = command == "stdio" and step is not REFRESH
    try:
        if knows_nobody and step is CODE:
            words = process.result(TOOL)["content"][0]["text"]
            report.contains("the next start has a code", words, "enter the code")
            found.enter_code(words)
        report.equal("the next start works", process.result(TOOL).get("structuredContent"), expected.PROFILES[ADELE])
        report.equal("browsers for that", len(found.opened) - opened, 1 if knows_nobody and step is not CODE else 0)
        process.close_input()
        report.equal("and ends", process.end(), 0)
    finally:
        process.kill()


def window_is_taken_away(report: Report, of: Broker, killed: bool) -> None:
    """Before the process has ended, so there is nothing to wait for. Who is killed cannot; the broker is told by the bus that they are gone."""
    told = of.told
    report.equal("what the broker was asked", [call for call, _ in told], ["getAccounts", "acquireTokenInteractively"] + ([] if killed else ["cancelInteractiveFlow"]))
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
    if (step in (BROWSER, CODE) or step.broker) and "some requests did not end in time" in process.err:
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
