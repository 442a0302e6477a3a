"""A browser without a window: follows an authorize URL to the redirect, through the pages or past them."""

from __future__ import annotations

import http.cookiejar
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

# The code, account choice and consent, and one spare for a page that is shown twice.
MOST_PAGES = 4


class SignInError(Exception):
    """The pages did not lead to the redirect."""


@dataclass
class Outcome:
    """What came back to the redirect URI, and the pages on the way there."""

    answer: dict[str, str]
    pages: list[str] = field(default_factory=list)
    # Where the browser takes the answer in a form; empty where it is in the URL (OAuth 2.0 Form Post Response Mode).
    posted_to: str = ""


def sign_in(url: str, user: str, context: ssl.SSLContext, by_header: bool, press: str = "accept") -> Outcome:
    """Signs `user` in at `url`. `by_header` uses the emulator's short cut; otherwise each page's form is read and sent. `press`: the
    decision, `cancel` for somebody who declines."""
    request = urllib.request.Request(url)
    if by_header:
        request.add_header("x-emulator-approve", user)
    return _walk(opener(context), request, _Choice(user, press), _query(url)["redirect_uri"])


def enter_code(url: str, code: str, user: str, context: ssl.SSLContext, press: str = "accept") -> str:
    """Enters the code of a device at `url` as `user`, and decides. The words of the last page."""
    outcome = _walk(opener(context), urllib.request.Request(url), _Choice(user, press, code), None)
    return outcome.pages[-1]


def code_in(words: str) -> tuple[str, str]:
    """Address and code of a device code, as a person finds them in a sentence."""
    found = words.split()
    address = next(word for word in found if word.startswith("https://"))
    return address, found[found.index("code") + 1]


@dataclass(frozen=True)
class _Choice:
    """What a person enters and presses."""

    user: str
    press: str
    code: str = ""


def _walk(browser: urllib.request.OpenerDirector, request: urllib.request.Request, choice: _Choice, redirect_uri: str | None) -> Outcome:
    """From page to page, to the answer for the client. Without a `redirect_uri` to the page that has no form."""
    pages: list[str] = []
    for _ in range(MOST_PAGES + 2):
        status, location, body = send(browser, request)
        if location is not None and redirect_uri is None:
            request = urllib.request.Request(urllib.parse.urljoin(request.full_url, location))
            continue
        if location is not None:
            if not location.startswith(redirect_uri):
                raise SignInError(f"redirected to {location} instead of {redirect_uri}")
            return Outcome(_query(location), pages)
        page = _Page()
        page.feed(body)
        words = " ".join(" ".join(page.words).split())
        if status == 200 and page.action is None and redirect_uri is None:
            return Outcome({}, [*pages, words])
        if status != 200 or page.action is None:
            raise SignInError(f"HTTP {status}: {words}")
        if redirect_uri is not None and page.action.startswith(redirect_uri):
            return Outcome(page.hidden, pages, page.action)
        name, button = page.choose(choice)
        pages.append(name)
        data = urllib.parse.urlencode({**page.hidden, **button}).encode()
        request = urllib.request.Request(urllib.parse.urljoin(request.full_url, page.action), data=data)
    raise SignInError(f"no redirect after the pages {pages}")


def opener(context: ssl.SSLContext) -> urllib.request.OpenerDirector:
    """What keeps cookies, and follows no redirection."""
    return urllib.request.build_opener(
        _NoRedirects,
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
    )


def send(browser: urllib.request.OpenerDirector, request: urllib.request.Request) -> tuple[int, str | None, str]:
    """Status, `Location` and body of the answer."""
    try:
        with browser.open(request, timeout=30) as response:
            return response.status, None, response.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers.get("location"), answer.read().decode()


def _query(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class _Page(HTMLParser):
    """The one form of a page: where it goes, its hidden fields and its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.inputs: list[str] = []
        self.buttons: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self._button: tuple[str, str] | None = None
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values["name"]] = values["value"]
        elif tag == "input":
            self.inputs.append(values.get("name", ""))
        elif tag == "button":
            self._button = (values.get("name", ""), values.get("value", ""))
            self.buttons.append((*self._button, ""))
        self._style = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = None
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            return
        self.words.append(data)
        if self._button is not None:
            name, value, text = self.buttons[-1]
            self.buttons[-1] = (name, value, f"{text} {data}")

    def choose(self, choice: _Choice) -> tuple[str, dict[str, str]]:
        """What the page is, and what such a person enters or presses."""
        if "user_code" in self.inputs:
            return "code", {"user_code": choice.code}
        pressed = [(name, value) for name, value, _ in self.buttons]
        if choice.press == "cancel" and ("decision", "cancel") in pressed:
            return "cancel", {"decision": "cancel"}
        for name, value, text in self.buttons:
            if name == "account" and choice.user in text.split():
                return "account", {name: value}
            if (name, value) == ("decision", "accept"):
                return "consent", {name: value}
        raise SignInError(f"no button for {choice.user} on the page: {' '.join(self.words)}")
