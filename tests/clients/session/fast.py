"""fastmcp's own sign-in, with the callback that it opens. Run by run.py."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
import threading
import urllib.error
import urllib.request
import warnings
import webbrowser
from typing import Any

import anyio
from fastmcp import Client
from fastmcp.client.auth import BearerAuth, OAuth
from fastmcp.client.transports import StreamableHttpTransport

import canaries
import context
from report import Report

VERSION = importlib.metadata.version("fastmcp")


class Window(webbrowser.BaseBrowser):
    """What fastmcp opens: signs the user in, and goes where the answer leads."""

    def __init__(self, press: str = "allow", declines: bool = False) -> None:
        super().__init__("tests")
        self.browser = context.browser(press, declines)
        self.opened: list[tuple[str, str]] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        # The callback is listened for after this returns.
        threading.Thread(target=self._follow, args=(url,), daemon=True).start()
        return True

    def _follow(self, url: str) -> None:
        answer = self.browser.go(url)
        self.opened.append((url, answer))
        while True:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(answer, timeout=10).close()
                return
            except urllib.error.HTTPError:
                # An error page of fastmcp's, for an error of ours.
                return
            except OSError:
                threading.Event().wait(0.05)


class Provider(OAuth):
    """fastmcp's own, whose tokens are looked at."""

    def keep(self) -> None:
        tokens = self.context.current_tokens
        canaries.keep("access token", tokens.access_token)
        canaries.keep("refresh token", tokens.refresh_token)


def connected(provider: Any, mode: str) -> Client[StreamableHttpTransport]:
    return Client(StreamableHttpTransport(context.URL, auth=provider, verify=context.TLS), mode=mode)


async def use_tools(report: Report, fast: Client[StreamableHttpTransport], client_id: str) -> None:
    results = [await fast.call_tool_mcp(tool, {}) for tool in ("whoami", "GetUserDetailsFromGraph")]
    plain = [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results]
    context.answers_well(report, *plain, client_id)


async def signs_in(report: Report, window: Window, options: dict[str, Any], way: str, mode: str) -> None:
    provider = Provider(**options)
    async with connected(provider, mode) as fast:
        ((page, answer),) = window.opened
        client_id = context.asked_well(report, page, answer, way)
        await use_tools(report, fast, client_id)
        report.equal("what Valet asked", window.browser.pages, context.ASKED)
        provider.keep()
        before = provider.context.current_tokens
        provider.context.token_expiry_time = 1.0
        await use_tools(report, fast, client_id)
        provider.keep()
        after = provider.context.current_tokens
        report.check("access token refreshed", before.access_token != after.access_token, "the same")
        report.check("refresh token rotated", before.refresh_token != after.refresh_token, "the same")
        report.equal("pages for a sign-in", len(window.opened), 1)


async def signs_in_again(report: Report, window: Window, options: dict[str, Any], way: str, mode: str) -> None:
    """The session ended at Entra: fastmcp finds that out by the refresh, and opens a page."""
    provider = Provider(**options)
    async with connected(provider, mode) as fast:
        ((page, answer),) = window.opened
        client_id = context.asked_well(report, page, answer, way)
        await use_tools(report, fast, client_id)
        provider.keep()
        context.revoke_at_entra()
        await fast.call_tool_mcp("GetUserDetailsFromGraph", {})
        await use_tools(report, fast, client_id)
        provider.keep()
        report.equal("pages for a sign-in", len(window.opened), 2)


async def refused(report: Report, window: Window, options: dict[str, Any], mode: str, reason: str) -> None:
    try:
        async with connected(Provider(**options), mode):
            outcome = "a session"
    except Exception as error:
        outcome = str(error)
    report.contains("the client is told", outcome, reason)
    if context.MODE["resource_refused"]:
        # So that nothing else stands between this client and the tools.
        token = context.EMULATOR.token(context.USER)
        canaries.keep("access token", token)
        async with connected(BearerAuth(token), mode) as fast:
            await use_tools(report, fast, context.CLIENT_ID)


async def main() -> int:
    report = Report()
    options = dict(zip(context.WAYS, ({"client_id": context.CLIENT_ID}, {}, {"client_metadata_url": context.DOCUMENT})))
    beforehand = options[context.BEFOREHAND]
    cases: list[tuple[str, Any, tuple[Any, ...], Window]] = []
    for mode in ("auto", "legacy"):
        if context.MODE["resource_refused"]:
            cases.append((f"{mode}, it sends `resource`", refused, (beforehand, mode, "AADSTS9010010"), Window()))
            continue
        for way in context.WAYS:
            if way not in context.MODE["ids"]:
                cases.append((f"{mode}, a client {way} is refused", refused, (options[way], mode, "Registration failed: 404"), Window()))
                continue
            cases.append((f"{mode}, a client {way}", signs_in, (options[way], way, mode), Window()))
            cases.append((f"{mode}, a client {way}, ended at Entra", signs_in_again, (options[way], way, mode), Window()))
        denied = "Access was denied by the authorization server"
        if context.MODE["asks"]:
            cases.append((f"{mode}, declined", refused, (beforehand, mode, denied), Window("deny")))
        cases.append((f"{mode}, declined at Entra", refused, (beforehand, mode, denied), Window(declines=True)))
    for name, run, arguments, window in cases:
        report.section(f"{context.MODE['name']}, fastmcp {VERSION}, {name}")
        webbrowser.register("tests", None, window, preferred=True)
        try:
            with anyio.fail_after(120):
                await run(report, window, *arguments)
        except Exception as error:
            report.check("no exception", False, repr(error))
    return report.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.exit(anyio.run(main))
