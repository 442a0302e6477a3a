"""The attacks on a local server that docs/oauth-cases.md lists as L-1 to L-5, on the program as it is shipped. After each the next good call works."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import stat
import tempfile
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import expected
from desk import ADELE, Desk, Machine, NoEnd, Process, wait
from report import Report

TOOL = "GetUserDetailsFromGraph"

# What reached a shell elsewhere, for whoever lets it come to one.
HOSTILE = ['x"; touch pwned; "', "x'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "x & touch pwned", "x | touch pwned", "x\ntouch pwned"]

# Not a web page, or more than an origin.
AUTHORITIES = ["javascript:alert(1)", "file:///etc/passwd", "http://localhost:1", "https://localhost:1/$(touch pwned)", "https://localhost:1?a=`touch pwned`"]

NOBODY = 65534


def run(machine: Machine, folder: Path, report: Report, case: str) -> None:
    """All rows."""
    for line, row in ROWS.items():
        if case not in f"local, {line}":
            continue
        report.section(f"local, {line}")
        try:
            row(Desk(machine, folder / re.sub("[^a-z0-9]+", "-", line.lower())), report)
        except NoEnd as error:
            report.check("no exception", False, str(error))
        finally:
            machine.emulator.undisturbed()


def nothing_listens(desk: Desk, report: Report) -> None:
    desk.person_will("nothing")
    process = desk.start()
    try:
        process.answer(process.begin("tools/list"))
        report.equal("idle, it listens on nothing", listening(process), [])
        call = process.call(TOOL)
        port = listener(desk.wait_for_browser(1))
        own = sorted([("127.0.0.1", port), ("::1", port)])
        report.check("while the browser is open, on loopback alone", listening(process) in (own, own[:1]), f"{listening(process)}")
        body = urllib.parse.urlencode({"code": "guessed", "state": "guessed"})
        form = {"content-type": "application/x-www-form-urlencoded"}
        for what, headers, status in [
            ("a page elsewhere that posts a form", {**form, "origin": "https://evil.example"}, 403),
            ("a name elsewhere that was made to lead here", {**form, "host": f"evil.example:{port}"}, 421),
            ("a page elsewhere that posts JSON", {"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ]:
            report.equal(f"{what} is refused", request(port, "POST", "/", body, headers)[0], status)
        finish(desk, process, call, report)
        wait(lambda: listening(process) == [], "the listener closes", who=process)
        report.check("afterwards it listens on nothing", True)
    finally:
        process.kill()


def what_is_opened(desk: Desk, report: Report) -> None:
    for number, user in enumerate(HOSTILE, 1):
        desk.person_will("nothing")
        process = desk.start("login", "--user", user)
        try:
            url = desk.wait_for_browser(number)
            report.equal(f"{user!r}: the opener gets one argument", len(desk.opened[-1]), 1)
            asked = urllib.parse.urlsplit(url)
            report.equal("which is of the authority", f"{asked.scheme}://{asked.netloc}", desk.machine.emulator.authority)
            report.check("and has no character that a shell would see", not re.search(r"[^A-Za-z0-9:/?&=%._~+\-*]", url), url)
            report.equal("and says what was meant", urllib.parse.parse_qs(asked.query)["login_hint"], [user])
        finally:
            process.kill()
    before = len(desk.opened)
    configuration = (desk.folder / "valet.toml").read_text()
    for authority in AUTHORITIES:
        (desk.folder / "valet.toml").write_text(configuration.replace(f'\nauthority = "{desk.machine.emulator.authority}"', f"\nauthority = '{authority}'"))
        process = desk.start("login")
        report.equal(f"{authority}: refused", process.end(), 1)
        report.contains("by the name of the setting", process.err, "authority")
    (desk.folder / "valet.toml").write_text(configuration)
    report.equal("nothing opened for these", len(desk.opened), before)
    report.equal("and nothing ran", [str(file) for file in desk.folder.rglob("*pwned*")], [])
    desk.person_will("accept")
    report.contains("the next login works", desk.done("login"), "Signed in: Adele Vance")


def cache_that_is_not_as_we_left_it(desk: Desk, report: Report) -> None:
    desk.done("login")
    first = desk.cache.read_bytes()
    elsewhere = desk.write("elsewhere/tokens.json", "")
    shutil.move(desk.cache, elsewhere)
    elsewhere.chmod(0o644)
    desk.cache.symlink_to(elsewhere)
    report.contains("a symbolic link: login works", desk.done("login"), "Signed in: Adele Vance")
    report.equal("what it led to is what it was", elsewhere.read_bytes(), first)
    report.equal("a file of ours is in its place", (desk.cache.is_symlink(), mode(desk.cache)), (False, 0o600))
    elsewhere.unlink()

    desk.cache.chmod(0o644)
    report.contains("readable by all: login works", desk.done("login"), "Signed in: Adele Vance")
    report.equal("and nobody else can read it from then on", mode(desk.cache), 0o600)

    desk.cache.write_bytes(desk.cache.read_bytes()[:200])
    report.contains("cut off: nobody is signed in", desk.done("whoami"), "nobody is signed in")
    process = desk.start()
    try:
        report.equal("the next call signs in", process.result(TOOL).get("structuredContent"), expected.PROFILES[ADELE])
    finally:
        process.kill()
    aside = [(file.name, mode(file)) for file in desk.cache.parent.glob("tokens.damaged*")]
    report.equal("the damaged one was moved aside, for its owner only", aside, [("tokens.damaged-0", 0o600)])
    for file in desk.cache.parent.glob("tokens.damaged*"):
        file.unlink()


def cache_of_somebody_else(desk: Desk, report: Report) -> None:
    if os.geteuid() != 0:
        print("NOT RUN: local, L-3, a cache of another user: only root can make one")
        return
    with tempfile.TemporaryDirectory(prefix="valet-") as home:
        # Where another user gets to, whatever --work is.
        own = Desk(desk.machine, Path(home) / "desk")
        state = own.folder / "state"
        state.mkdir()
        for path in [Path(home), *Path(home).rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        own.cache.write_text("{}")
        own.cache.chmod(0o600)
        emulator_ca = own.write("emulator-ca.pem", own.machine.emulator.ca_files[0].read_text())
        configuration = own.folder / "valet.toml"
        configuration.write_text(configuration.read_text().replace(str(own.machine.emulator.ca_files[0]), str(emulator_ca)))
        process = own.start("login", user=NOBODY)
        report.equal("another user's file: login is refused", process.end(), 1)
        report.contains("and names it", process.err, f"{own.cache} cannot be read")
        report.equal("nobody was asked", len(own.opened), 0)
        report.equal("it is what it was", (own.cache.read_text(), own.cache.stat().st_uid), ("{}", 0))
        shutil.copytree(own.folder, desk.folder / "as-another-user", symlinks=True)
    report.contains("the next login works", desk.done("login"), "Signed in: Adele Vance")


def two_processes(desk: Desk, report: Report) -> None:
    process = desk.start()
    process.result(TOOL)
    process.close_input()
    process.end()
    desk.lose_access_tokens()
    desk.person_will("nothing")
    desk.machine.emulator.ask("DELETE", "counts")
    servers = [desk.start() for _ in range(4)]
    try:
        calls = [(server, server.call(TOOL)) for server in servers]
        profiles = [server.answer(call)["result"].get("structuredContent") for server, call in calls]
        report.equal("four processes at once: all have the profile", profiles, [expected.PROFILES[ADELE]] * 4)
        report.equal("one of them refreshed", desk.machine.emulator.ask("GET", "counts")["counts"]["refresh"], 1)
        report.equal("browsers", len(desk.opened), 1)
    finally:
        for server in servers:
            server.kill()


def listener_that_is_hit(desk: Desk, report: Report) -> None:
    desk.person_will("nothing")
    process = desk.start()
    try:
        call = process.call(TOOL)
        url = desk.wait_for_browser(1)
        port, asked = listener(url), urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        (state,) = asked["state"]
        report.equal("form_post was asked for", asked["response_mode"], ["form_post"])
        form = {"content-type": "application/x-www-form-urlencoded"}
        for what, method, path, body, status in [
            ("/favicon.ico", "GET", "/favicon.ico", None, 204),
            ("the address alone", "GET", "/", None, 200),
            ("a code in the query", "GET", f"/?code=guessed&state={state}", None, 400),
            ("another state", "POST", "/", urllib.parse.urlencode({"code": "guessed", "state": "guessed"}), 400),
            ("no state", "POST", "/", urllib.parse.urlencode({"code": "guessed"}), 400),
            ("another path", "POST", "/callback", urllib.parse.urlencode({"code": "guessed", "state": state}), 404),
        ]:
            found, page = request(port, method, path, body, form if body else {})
            report.equal(f"{what}: refused or empty", found, status)
            report.check("and nothing of it is shown", "guessed" not in page and state not in page, page)
        finish(desk, process, call, report)
        try:
            second: object = request(port, "POST", "/", urllib.parse.urlencode({"code": "guessed", "state": state}), form)[0]
        except ConnectionRefusedError:
            second = "nobody listens"
        report.check("a second answer finds nobody", second in ("nobody listens", 400), f"{second}")
    finally:
        process.kill()
    desk.person_will("nothing")
    ports = {port}
    for _ in range(2):
        before = len(desk.opened)
        process = desk.start("login")
        ports.add(listener(desk.wait_for_browser(before + 1)))
        process.kill()
    report.equal("each sign-in has a port of its own", len(ports), 3)


def hostile_input(desk: Desk, report: Report) -> None:
    desk.done("login")
    process = desk.start()
    try:
        for what, line in [("a line of 100 MB", b"x" * 100_000_000), ("invalid UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}'), ("no JSON", b"hello"), ("an empty object", b"{}")]:
            lines = len(process.out)
            process.send(line + b"\n")
            wait(lambda: len(process.out) > lines, f"{what} is answered", who=process)
            report.contains(f"{what} is refused", process.out[-1], '"error"')
            report.equal("the next call works", process.result("whoami")["structuredContent"]["name"], "Adele Vance")
        process.send(b'{"jsonrpc":"2.0","id":99,"method":"tools/li')
        process.close_input()
        report.equal("the input ends in the middle of a message: it ends well", process.end(), 0)
    finally:
        process.kill()
    process = desk.start(deaf=True)
    try:
        process.call("whoami")
        report.equal("nobody reads the output: it ends well", process.end(), 0)
    finally:
        process.kill()


def finish(desk: Desk, process: Process, call: int, report: Report) -> None:
    """The person signs in after all, at the page that was opened."""
    desk.person_will("accept")
    desk.visit(desk.opened[-1][-1])
    report.equal("the sign-in went on, and the call has its profile", process.answer(call)["result"].get("structuredContent"), expected.PROFILES[ADELE])


def listener(url: str) -> int:
    """The port where an answer is awaited."""
    (redirect,) = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["redirect_uri"]
    return urllib.parse.urlsplit(redirect).port


def request(port: int, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"host": f"localhost:{port}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def listening(process: Process) -> list[tuple[str, int]]:
    """Where it listens (proc(5): sockets among its files, and those in state 0A of the tables)."""
    proc = Path(f"/proc/{process.child.pid}")
    own = {os.readlink(file)[8:-1] for file in (proc / "fd").iterdir() if os.path.lexists(file) and os.readlink(file).startswith("socket:")}
    found = []
    for table in ("tcp", "tcp6"):
        for row in (proc / "net" / table).read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and fields[9] in own:
                address, port = fields[1].split(":")
                known = {"0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}
                found.append((known.get(address, address), int(port, 16)))
    return sorted(found)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


ROWS: dict[str, Callable[[Desk, Report], None]] = {
    "L-1, a page elsewhere and our port": nothing_listens,
    "L-2, what is opened": what_is_opened,
    "L-3, a cache that is not as we left it": cache_that_is_not_as_we_left_it,
    "L-3, a cache of another user": cache_of_somebody_else,
    "L-3, processes at once": two_processes,
    "L-4, the listener": listener_that_is_hit,
    "L-5, the input and the output": hostile_input,
}
