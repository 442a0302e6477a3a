"""A browser without a window: it keeps cookies, follows redirections, and presses the button of Valet's page. At Entra a header says who
sits there."""

from __future__ import annotations

import itertools
import os
import re
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import canaries
import signin

# Valet, Entra, Valet again, and the pages between them.
MOST_STEPS = 12

_count = itertools.count(1)


class NoAnswer(Exception):
    """The pages did not lead back to the client, and where they ended."""


@dataclass
class Browser:
    """One, and who sits at it."""

    user: str
    issuer: str
    authority: str
    context: ssl.SSLContext
    # Where pages are kept that Valet showed.
    kept: Path
    press: str = "allow"
    # At Entra.
    declines: bool = False
    # Titles of Valet's pages that a person saw.
    pages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opener = signin.opener(self.context)

    def go(self, url: str) -> str:
        """From a client's authorization request to the URL that takes the answer to the client, where nobody goes."""
        redirect = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["redirect_uri"][0]
        request = urllib.request.Request(url)
        for _ in range(MOST_STEPS):
            if request.full_url.startswith(f"{self.authority}/"):
                request.add_header("x-emulator-approve", self.user)
                if self.declines:
                    request.add_header("x-emulator-decline", "1")
            status, location, body = signin.send(self._opener, request)
            self._keep_cookies()
            if onward := location or _refreshed(body):
                onward = urllib.parse.urljoin(request.full_url, onward)
                canaries.keep("code", urllib.parse.parse_qs(urllib.parse.urlsplit(onward).query).get("code", [None])[0])
                if onward.startswith(redirect):
                    return onward
                request = urllib.request.Request(onward)
            else:
                request = self._decide(request.full_url, status, body)
        raise NoAnswer(f"no answer after {MOST_STEPS} steps; pages: {self.pages}")

    def _decide(self, url: str, status: int, body: str) -> urllib.request.Request:
        """The form of Valet's page, with a button pressed."""
        if url.startswith(f"{self.issuer}/"):
            self.kept.mkdir(exist_ok=True)
            (self.kept / f"python-{os.getpid()}-{next(_count)}.html").write_text(body)
        button = f'name="decision" value="{self.press}"'
        if status != 200 or not url.startswith(f"{self.issuer}/") or button not in body:
            raise NoAnswer(f"HTTP {status} of {url.split('?')[0]}: {' '.join(re.sub('<[^>]*>', ' ', body).split())}")
        self.pages.append(re.search("<title>(.*?)</title>", body)[1])
        hidden = re.findall('<input type="hidden" name="([^"]*)" value="([^"]*)">', body)
        fields = {name: unescape(value) for name, value in hidden} | {"decision": self.press}
        action = urllib.parse.urljoin(url, re.search('<form method="post" action="([^"]*)"', body)[1])
        headers = {"origin": self.issuer, "sec-fetch-site": "same-origin"}
        return urllib.request.Request(action, urllib.parse.urlencode(fields).encode(), headers)

    def _keep_cookies(self) -> None:
        for handler in self._opener.handlers:
            if isinstance(handler, urllib.request.HTTPCookieProcessor):
                for cookie in handler.cookiejar:
                    canaries.keep_cookie(cookie.name, cookie.value)


def _refreshed(body: str) -> str | None:
    """Where a page goes on to by itself."""
    found = re.search('http-equiv="refresh" content="0;url=([^"]*)"', body)
    return unescape(found[1]) if found else None
