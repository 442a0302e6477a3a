"""A browser without a window: walks through the emulator's pages as a person would, or past them by the scripted header."""

from __future__ import annotations

import http.cookiejar
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

# Account choice, password, second factor, consent, and one spare.
MOST_PAGES = 6


class PageError(Exception):
    """The pages ended with words for a person instead of an answer for the client."""


@dataclass(frozen=True)
class Person:
    """Who sits at the browser and what they decide."""

    user: str
    accepts: bool = True
    # True: press the buttons of each page. False: the header that approves without pages.
    by_pages: bool = False
    user_code: str = ""
    # Approves a second factor past the pages too.
    second_factor: bool = False


@dataclass
class Answer:
    """What the client gets at its redirect URI."""

    fields: dict[str, str]
    target: str
    posted: bool
    pages: list[str] = field(default_factory=list)


class Browser:
    """One browser with its own cookies."""

    def __init__(self, ca_file: Path) -> None:
        self._opener = urllib.request.build_opener(
            _NoRedirects,
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca_file))),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def visit(self, url: str, person: Person) -> Answer:
        """Goes from an authorize URL to the answer for the client; does not deliver it."""
        redirect_uri = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))["redirect_uri"]
        outcome = self._walk(urllib.request.Request(url), person, redirect_uri)
        if outcome.target == "":
            raise PageError(outcome.pages[-1])
        return outcome

    def approve_device(self, url: str, person: Person) -> str:
        """Enters the code that a device shows. Returns the words of the last page."""
        return self._walk(urllib.request.Request(url), person, "\0").pages[-1]

    def deliver(self, answer: Answer) -> int:
        """Takes an answer to the client's own server, as the browser does. Returns the status."""
        data = urllib.parse.urlencode(answer.fields).encode()
        if answer.posted:
            request = urllib.request.Request(answer.target, data=data)
        else:
            request = urllib.request.Request(f"{answer.target}?{data.decode()}")
        return self._send(request)[0]

    def _walk(self, request: urllib.request.Request, person: Person, redirect_uri: str) -> Answer:
        if not person.by_pages:
            request.add_header("x-emulator-approve", f"{person.user};mfa" if person.second_factor else person.user)
        pages: list[str] = []
        for _ in range(MOST_PAGES):
            status, location, body = self._send(request)
            if location is not None and location.startswith(redirect_uri):
                split = urllib.parse.urlsplit(location)
                fields = dict(urllib.parse.parse_qsl(split.query or split.fragment))
                return Answer(fields, redirect_uri, False, pages)
            if location is not None:
                request = urllib.request.Request(urllib.parse.urljoin(request.full_url, location))
                continue
            page = _Page()
            page.feed(body)
            words = " ".join(" ".join(page.words).split())
            if status == 200 and page.action is not None and page.action.startswith(redirect_uri):
                return Answer(page.hidden, page.action, True, pages)
            pages.append(words)
            if status != 200 or page.action is None or page.finished:
                return Answer({}, "", False, pages)
            request = page.filled(request.full_url, person)
        raise PageError(f"no end after the pages {pages}")

    def _send(self, request: urllib.request.Request) -> tuple[int, str | None, str]:
        try:
            with self._opener.open(request, timeout=30) as response:
                return response.status, None, response.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers.get("location"), answer.read().decode()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class _Page(HTMLParser):
    """The one form of a page: where it goes, its fields and its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.method = "get"
        self.hidden: dict[str, str] = {}
        self.fields: list[str] = []
        self.buttons: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self._in_button = False
        self._skip = False

    @property
    def finished(self) -> bool:
        """Nothing to press any more."""
        return not self.buttons

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = values.get("action", ""), values.get("method", "get").lower()
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values["name"]] = values.get("value", "")
        elif tag == "input" and "name" in values:
            self.fields.append(values["name"])
        elif tag == "button":
            self.buttons.append((values.get("name", ""), values.get("value", ""), ""))
            self._in_button = True
        self._skip = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._in_button = False
        self._skip = False

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        self.words.append(data)
        if self._in_button:
            name, value, text = self.buttons[-1]
            self.buttons[-1] = (name, value, f"{text} {data}")

    def filled(self, url: str, person: Person) -> urllib.request.Request:
        """The request that the form makes once the person has filled it and pressed a button."""
        values = {**self.hidden, **{name: person.user_code for name in self.fields if "code" in name}, **self._press(person)}
        target, data = urllib.parse.urljoin(url, self.action or ""), urllib.parse.urlencode(values)
        if self.method == "post":
            return urllib.request.Request(target, data=data.encode())
        return urllib.request.Request(f"{target}?{data}")

    def _press(self, person: Person) -> dict[str, str]:
        wanted = ("accept", "approve") if person.accepts else ("cancel",)
        for name, value, text in self.buttons:
            # Accounts stand before the decisions of a page.
            if (name == "account" and person.user in text.split()) or (name == "decision" and value in wanted):
                return {name: value}
        accounts = any(name == "account" for name, _, _ in self.buttons)
        if len(self.buttons) == 1 and not accounts:
            name, value, _ = self.buttons[0]
            return {name: value} if name else {}
        raise PageError(f"no button for {person.user} on the page: {' '.join(self.words)}")
