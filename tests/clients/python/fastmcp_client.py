"""The checks with fastmcp: its client in both eras, its own sign-in with the callback that it opens, and its commands. Run
by run.py inside fastmcp's virtual environment."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import warnings
import webbrowser
from pathlib import Path
from typing import Any

import anyio
from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport
from mcp.types import ServerCapabilities

import client
import expected
import sdk
import signin
from report import Report

VERSION = importlib.metadata.version("fastmcp")


class Browser(webbrowser.BaseBrowser):
    """Whom fastmcp opens: signs the user in, and goes where the answer leads."""

    def __init__(self, suite: client.Suite) -> None:
        super().__init__("tests")
        self.suite = suite
        self.opened: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        # The callback is listened for after this returns.
        threading.Thread(target=self._follow, args=(url,), daemon=True).start()
        return True

    def _follow(self, url: str) -> None:
        outcome = signin.sign_in(url, self.suite.user, self.suite.tls, by_header=False)
        redirect = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["redirect_uri"][0]
        answer = f"{redirect}?{urllib.parse.urlencode(outcome.answer)}"
        while True:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(answer, timeout=10).close()
                return
            except urllib.error.HTTPError:
                raise
            except OSError:
                threading.Event().wait(0.05)


def connected(suite: client.Suite, mode: str, auth: Any) -> Client[StreamableHttpTransport]:
    return Client(StreamableHttpTransport(suite.url, auth=auth, verify=suite.tls), mode=mode)


class Session(sdk.Session):
    """fastmcp behind the face of the SDK that it is built on."""

    def __init__(self, fast: Client[Any]) -> None:
        # A client that asks nothing before its first call does not know whom it talks to.
        server = fast.server_info.name if fast.server_info else ""
        super().__init__(fast, fast.protocol_version or "", server, fast.server_capabilities or ServerCapabilities())

    async def tools(self) -> dict[str, Any]:
        return {tool.name: sdk.plain(tool) for tool in await self._client.list_tools()}

    async def call(self, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        return sdk.plain(await self._client.call_tool_mcp(tool, arguments or {}))

    async def resources(self) -> list[dict[str, Any]]:
        return [sdk.plain(resource) for resource in await self._client.list_resources()]

    async def read(self, uri: str) -> dict[str, Any]:
        return sdk.plain(await self._client.read_resource_mcp(uri))

    async def prompts(self) -> list[dict[str, Any]]:
        return [sdk.plain(prompt) for prompt in await self._client.list_prompts()]

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return sdk.plain(await self._client.get_prompt_mcp(name, arguments))


async def everyday(suite: client.Suite, mode: str, revision: str, auth: Any) -> None:
    """Lists, calls, mistakes."""
    async with connected(suite, mode, auth) as fast:
        session = Session(fast)
        suite.report.equal("revision", session.version, revision)
        suite.report.equal("server name", session.server, "" if mode == client.MODERN else "valet")
        await suite.tools(session)
        await suite.calls(session, suite.user)
        await suite.errors(session)
        await suite.context(session, suite.user)
        # What fastmcp makes of the output schema: an object with the fields as attributes.
        data = (await fast.call_tool("whoami")).data
        suite.report.equal("whoami, as an object", data.objectId, expected.PROFILES[suite.user]["id"])


async def signs_in(suite: client.Suite) -> None:
    """fastmcp's own sign-in, with a client registered beforehand."""
    browser = Browser(suite)
    webbrowser.register("tests", None, browser, preferred=True)
    await everyday(suite, "auto", client.MODERN, OAuth(client_id=expected.CLIENT_ID))
    suite.report.equal("one page was opened", len(browser.opened), 1)


async def refused(suite: client.Suite, mode: str) -> None:
    """A bearer that is no token, then a good one."""
    try:
        async with connected(suite, mode, "not.a.token") as fast:
            await fast.list_tools()
        outcome: Any = "no error"
    except Exception as error:
        outcome = sdk.problem(error)[:2]
    # What the SDK makes of a refusal without JSON-RPC.
    suite.report.equal("a bad token is refused", outcome, ("MCPError", -32603))
    async with connected(suite, mode, suite.emulator.token(suite.user)) as fast:
        await suite.calls(Session(fast), suite.user)


async def leaving(suite: client.Suite, mode: str, times: int) -> None:
    async with connected(suite, mode, suite.emulator.token(suite.user)) as fast:
        session = Session(fast)
        await suite.leave(session, times)
        await suite.calls(session, suite.user)


async def commands(suite: client.Suite, trusted: Path) -> None:
    """`fastmcp list` and `fastmcp call`, as typed."""

    async def typed(*words: str) -> Any:
        command = [str(Path(sys.executable).with_name("fastmcp")), *words, "--auth", suite.emulator.token(suite.user), "--json"]
        done = await anyio.run_process(command, check=False, env={**os.environ, "SSL_CERT_FILE": str(trusted)})
        suite.report.check(f"fastmcp {words[0]} ends well", done.returncode == 0, done.stderr.decode()[-600:])
        return json.loads(done.stdout or b"null")

    listed = await typed("list", suite.url)
    suite.report.equal("tools", [tool["name"] for tool in listed["tools"]], client.TOOLS)
    called = await typed("call", suite.url, "whoami")
    suite.report.equal("whoami", called["structured_content"], expected.whoami(suite.user))


async def main(arguments: Any) -> int:
    report = Report()
    suite = client.Suite(arguments, report)
    block = client.blocks(f"fastmcp {VERSION}", report)
    if suite.emulator is None:
        print("not run: fastmcp: it needs an emulator of our own", file=sys.stderr)
        return report.end()
    await block("sign-in", lambda: signs_in(suite))
    await block("modern, no discovery", lambda: everyday(suite, client.MODERN, client.MODERN, suite.emulator.token(suite.user)))
    for name, mode, revision, times in (("modern", "auto", client.MODERN, 6), ("legacy", "legacy", client.LEGACY, 1)):
        await block(name, lambda: everyday(suite, mode, revision, suite.emulator.token(suite.user)))
        await block(f"{name}, bad token", lambda: refused(suite, mode))
        await block(f"{name}, leaving mid-call", lambda: leaving(suite, mode, times))
    await block("commands", lambda: commands(suite, arguments.trusted))
    return report.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.exit(anyio.run(main, client.arguments()))
