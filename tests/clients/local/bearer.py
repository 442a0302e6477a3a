"""The token for Graph leaves the host toward Graph and nowhere else: it is read from what Graph was sent, and looked for in everything else that the
program sent, said and left behind.

Not looked at is its memory: the host has the token, and the memories of the components are in the same process."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import expected
import relay
from desk import ADELE, Desk, Machine, NoEnd, Process
from report import Report

TOOL = "GetUserDetailsFromGraph"
GRAPH = "00000003-0000-0000-c000-000000000000"

# Everything that it would ever say. Of wasmtime there is too much of it, about types.
SAYS_ALL = ("--log", "trace,wasmtime=warn,cranelift=warn")

# So much of a token is enough to be found.
ENOUGH = 24


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """At a desk with each kind of cache."""
    kinds = {"plain": False, **({"keychain": True} if machine.bus else {})}
    chosen = {kind: keychain for kind, keychain in kinds.items() if case in f"local, bearer, {kind}"}
    if not chosen:
        return
    with relay.started(machine.emulator_program, folder / "servers") as between:
        seen = dataclasses.replace(machine, emulator=between.emulator)
        for kind, keychain in chosen.items():
            report.section(f"local, bearer, {kind}")
            between.sent.clear()
            try:
                toward_graph_alone(Desk(seen, folder / kind, keychain=keychain), between, report)
            except NoEnd as error:
                report.check("no exception", False, str(error))


def toward_graph_alone(desk: Desk, between: relay.Relay, report: Report) -> None:
    process = desk.start("stdio", *SAYS_ALL)
    try:
        ways = ["by the browser", "by the cache"] + ([] if desk.keychain else ["by the refresh token"])
        for way in ways:
            if way == "by the refresh token":
                desk.lose_access_tokens()
            result = process.result(TOOL)
            report.equal(f"{way}: the profile", result.get("structuredContent", result), expected.PROFILES[ADELE])
        process.result("whoami")
        of_the_process = list(in_proc(process))
        process.close_input()
        report.equal("it ends with its client", process.end(), 0)
    finally:
        process.kill()
    bearers = {sent.bearer for sent in between.sent if sent.to_graph}
    report.equal("what Graph was sent are tokens for Graph", [is_for_graph(bearer) for bearer in bearers], [True] * (len(ways) - 1))
    parts = [part for bearer in bearers for part in parts_of(bearer)]
    # So that the search for what must not be there is one that finds.
    report.check("each request to Graph has it", all(has(sent.whole, parts) for sent in between.sent if sent.to_graph))
    elsewhere = [sent for sent in between.sent if not sent.to_graph]
    paths = {sent.target.split("?")[0].rpartition("/")[2] for sent in elsewhere}
    report.check("others were asked as well", {"authorize", "token", "openid-configuration"} <= paths, f"{paths}")
    with_it = [sent.target.split("?")[0] for sent in elsewhere if has(sent.whole, parts)]
    report.equal("no request to anything else has it", with_it, [])
    beside = [sent.target for sent in between.sent if sent.to_graph and has(sent.rest, parts)]
    report.equal("at Graph it is where a bearer belongs, and nowhere else", beside, [])
    said = "".join(process.out), process.err
    report.check("it said a lot", " TRACE " in said[1] and "Adele Vance" in said[0], said[1][-300:])
    report.equal("nothing that it said has it", [has(text.encode(), parts) for text in said], [False, False])
    report.equal("neither its arguments nor its environment has it", [name for name, content in of_the_process if has(content, parts)], [])
    report.equal("of its files, this has it", files_with(desk, parts), [] if desk.keychain else [desk.cache])


def is_for_graph(token: str | None) -> bool:
    """By its audience, the id or the URL of Graph."""
    claims = (token or "..").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)) or b"{}").get("aud") in (GRAPH, "https://graph.microsoft.com")


def parts_of(token: str) -> Iterator[bytes]:
    """What gives it away: the end of its claims, since all tokens begin alike, and its signature."""
    _, claims, signature = token.split(".")
    yield claims[-ENOUGH:].encode()
    yield signature[:ENOUGH].encode()


def has(content: bytes, parts: list[bytes]) -> bool:
    return any(part in content for part in parts)


def in_proc(process: Process) -> Iterator[tuple[str, bytes]]:
    """What every program of this user can read of it, and of what it started (proc(5))."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == process.child.pid:
                yield from ((f"{folder.name}/{name}", (folder / name).read_bytes()) for name in ("cmdline", "environ"))
        except OSError:
            continue


def files_with(desk: Desk, parts: list[bytes]) -> list[Path]:
    """Below the desk, which is home, configuration, state, and what the person saw; and of the keychain."""
    folders = [desk.folder]
    if desk.keychain and desk.machine.bus:
        folders.append(Path(desk.machine.bus.partition("path=")[2].partition(",")[0]).parent)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if has(file.read_bytes(), parts)]
