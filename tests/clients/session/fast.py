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
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport

import context
from report import Report

VERSION = importlib.metadata.version("fastmcp")


class Window(webbrowser.BaseBrowser):
    """What fastmcp opens: signs the user in, and goes where the answer leads."""

    def __init__(self, press: str = "allow") -> None:
        super().__init__("tests")
        self.browser = context.browser(press)
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


def connected(options: dict[str, Any], mode: str) -> Client[StreamableHttpTransport]:
    return Client(StreamableHttpTransport(context.URL, auth=OAuth(**options), verify=context.TLS), mode=mode)


async def signs_in(report: Report, window: Window, options: dict[str, Any], way: str, mode: str) -> None:
    async with connected(options, mode) as fast:
        ((page, answer),) = window.opened
        client_id = context.asked_well(report, page, answer, way)
        results = [await fast.call_tool_mcp(tool, {}) for tool in ("whoami", "GetUserDetailsFromGraph")]
        plain = [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results]
        context.answers_well(report, *plain, client_id)
        report.equal("somebody was asked once", window.browser.pages, ["Allow access"])


async def declined(report: Report, window: Window, options: dict[str, Any], mode: str) -> None:
    try:
        async with connected(options, mode):
            outcome = "a session"
    except Exception as error:
        outcome = str(error)
    report.contains("the client is told", outcome, "Access was denied by the authorization server")


async def main() -> int:
    report = Report()
    ways = zip(context.WAYS, ({"client_id": context.CLIENT_ID}, {}, {"client_metadata_url": context.DOCUMENT}))
    cases: list[tuple[str, Any, tuple[Any, ...], str]] = [
        (f"{mode}, a client {way}", signs_in, (options, way, mode), "allow")
        for way, options in ways for mode in ("auto", "legacy")
    ]
    cases.append(("declined", declined, ({"client_id": context.CLIENT_ID}, "auto"), "deny"))
    for name, run, arguments, press in cases:
        report.section(f"session, fastmcp {VERSION}, {name}")
        window = Window(press)
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
