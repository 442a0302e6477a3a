"""What every client in Python does at a desk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio

import signin
from emulator import Emulator
from report import Report
from tls import trusting

_context = json.loads(Path(os.environ["MCP_NODE_CONTEXT"]).read_text())

DESKS: dict[str, dict[str, Any]] = _context["desks"]
EXPECTED: dict[str, Any] = _context["expected"]["users"]
USER = "adele@contoso.example"
EMULATOR = Emulator(_context["authority"], [Path(file) for file in _context["ca_files"]])

TOOLS = ["GetUserDetailsFromGraph", "whoami"]
NOBODY = "00000000-0000-0000-0000-000000000000"

# A person enters a code while the server asks each few seconds; nothing else here waits.
PATIENCE = 120

# Has `tools()` and `call(tool)`, with plain results of MCP.
Start = Callable[[dict[str, Any]], AbstractAsyncContextManager[Any]]


class Counts:
    """What is asked of the emulator from here on."""

    def __init__(self) -> None:
        EMULATOR.ask("DELETE", "counts")

    @property
    def asked(self) -> dict[str, int]:
        counts = EMULATOR.ask("GET", "counts")["counts"]
        return {kind: count for kind, count in counts.items() if count}


def opened(desk: dict[str, Any]) -> int:
    """How often the desk's browser was opened."""
    file = Path(desk["folder"]) / "opened"
    return len(file.read_text().splitlines()) if file.exists() else 0


def is_profile(report: Report, what: str, result: dict[str, Any]) -> None:
    report.equal(f"{what}: profile", result.get("structuredContent", result), EXPECTED[USER]["profile"])


def is_whoami(report: Report, what: str, result: dict[str, Any]) -> None:
    report.equal(f"{what}: whoami", result.get("structuredContent", result), EXPECTED[USER]["whoami"])


async def by_the_browser(report: Report, desk: dict[str, Any], start: Start) -> None:
    """The first call opens it, the next ones are silent, also in the next process."""
    async with start(desk) as session:
        report.equal("before anybody has signed in: the tools", list(await session.tools()), TOOLS)
        nobody = (await session.call("whoami"))["structuredContent"]
        report.equal("and nobody", (nobody["objectId"], "name" in nobody), (NOBODY, False))
        report.equal("nothing opens for that", opened(desk), 0)
        counts = Counts()
        is_profile(report, "the first call", await session.call("GetUserDetailsFromGraph"))
        # Before a person is asked, the authority may be.
        asked = {kind: count for kind, count in counts.asked.items() if kind != "metadata"}
        report.equal("what it asked for", asked, {"authorize": 1, "redeem_code": 1, "token": 1, "graph": 1})
        is_whoami(report, "after it", await session.call("whoami"))
        counts = Counts()
        is_profile(report, "the second call", await session.call("GetUserDetailsFromGraph"))
        report.equal("it asks Graph alone", counts.asked, {"graph": 1})
    async with start(desk) as session:
        counts = Counts()
        is_whoami(report, "started again", await session.call("whoami"))
        is_profile(report, "started again", await session.call("GetUserDetailsFromGraph"))
        report.equal("started again, it asks Graph alone", counts.asked, {"graph": 1})
    report.equal("browsers", opened(desk), 1)


async def by_a_code(report: Report, desk: dict[str, Any], start: Start) -> None:
    """The answer has address and code; the next call works."""
    async with start(desk) as session:
        told = await session.call("GetUserDetailsFromGraph")
        words = told["content"][0]["text"]
        report.equal("it is no result", told.get("isError"), True)
        report.contains("address", words, f"open {EMULATOR.authority}/devicelogin in a browser and enter the code ")
        address, code = signin.code_in(words)
        tls = trusting([str(file) for file in EMULATOR.ca_files])
        end = await anyio.to_thread.run_sync(signin.enter_code, address, code, USER, tls)
        report.contains("the person enters it", end, "You are signed in")
        is_profile(report, "the next call", await session.call("GetUserDetailsFromGraph"))
        is_whoami(report, "after it", await session.call("whoami"))
    report.equal("browsers", opened(desk), 0)


async def a_hundred(report: Report, desk: dict[str, Any], start: Start) -> None:
    """First calls, all at once."""
    counts, profiles = Counts(), []

    async def one(session: Any) -> None:
        profiles.append((await session.call("GetUserDetailsFromGraph")).get("structuredContent"))

    async with start(desk) as session, anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(one, session)
    report.equal("all have the profile", [profile for profile in profiles if profile != EXPECTED[USER]["profile"]], [])
    report.equal("calls", len(profiles), 100)
    report.equal("one browser opened", opened(desk), 1)
    report.equal("one sign-in", {kind: counts.asked[kind] for kind in ("authorize", "token")}, {"authorize": 1, "token": 1})


async def all_cases(report: Report, name: str, era: str, start: Start) -> None:
    """Those of one client in one era; what is raised in one fails it, and not those that follow."""
    cases = [(cache, by_the_browser, f"{era}-{cache}") for cache in ("plain", "keychain")]
    cases += [("device code", by_a_code, f"{era}-device")]
    cases += [("a hundred first calls", a_hundred, "hundred")] if era == "auto" else []
    for what, run, desk in cases:
        section = f"{name}, {era}, {what}"
        if desk not in DESKS or os.environ["ENTRA_NODE_CASE"] not in section:
            continue
        report.section(section)
        try:
            with anyio.fail_after(PATIENCE):
                await run(report, DESKS[desk], start)
        except Exception as error:
            report.check("no exception", False, repr(error))
