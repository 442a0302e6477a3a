"""What a case works with: the world, the emulator's controls, browsers, and the desktop's default browser."""

from __future__ import annotations

import contextlib
import os
import threading
import webbrowser
from collections.abc import Iterator
from unittest import mock

from admin import Admin
from browser import Answer, Browser, PageError, Person
from cases import Wrong
from world import World


class Bench:
    """Made once for all cases."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.admin = Admin(world.authority, world.ca_file)
        self._desktop = _Desktop()
        webbrowser.register("entra-python", None, self._desktop, preferred=True)  # type: ignore[arg-type]

    def browser(self) -> Browser:
        """A new browser without cookies."""
        return Browser(self.world.ca_file)

    def visit(self, url: str, user: str) -> dict[str, str]:
        """Signs `user` in with a new browser, past the pages; returns the answer that the client gets."""
        return self.browser().visit(url, Person(user)).fields

    def page_error(self, url: str, user: str) -> str:
        """The words of the page that an authorize request ends on, without an answer to the client."""
        try:
            answer = self.visit(url, user)
        except PageError as error:
            return str(error)
        raise Wrong(f"the client got an answer instead of the person a page: {answer}")

    @contextlib.contextmanager
    def at_desktop(self, person: Person) -> Iterator[list[str]]:
        """Whatever a library opens in the desktop's browser, `person` goes through. Yields the URLs that were opened."""
        self._desktop.begin(person, self.browser())
        try:
            yield self._desktop.opened
        finally:
            self._desktop.end()

    @contextlib.contextmanager
    def registered(self, before: str, after: str) -> Iterator[None]:
        """One change to the text of the registrations, for a block."""
        text = self.world.registrations.read_text()
        if text.count(before) != 1:
            raise Wrong(f"the registrations have {before!r} {text.count(before)} times")
        self.admin.register(text.replace(before, after))
        try:
            yield
        finally:
            self.admin.register(text)

    @contextlib.contextmanager
    def environment(self, **variables: str) -> Iterator[None]:
        """Environment variables that the libraries read, for a block."""
        with mock.patch.dict(os.environ, variables):
            yield


class _Desktop(webbrowser.BaseBrowser):
    """What `webbrowser.open` reaches. The library waits for the answer, so the walk happens beside it."""

    def __init__(self) -> None:
        super().__init__("entra-python")
        self.opened: list[str] = []
        self._person: Person | None = None
        self._browser: Browser | None = None
        self._walks: list[threading.Thread] = []
        self._problems: list[BaseException] = []

    def begin(self, person: Person, browser: Browser) -> None:
        self._person, self._browser = person, browser
        self.opened, self._walks, self._problems = [], [], []

    def end(self) -> None:
        for walk in self._walks:
            walk.join(30)
        self._person = None
        if self._problems:
            raise self._problems[0]

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        if self._person is None:
            return False
        self.opened.append(url)
        walk = threading.Thread(target=self._walk, args=(url, self._person), daemon=True)
        self._walks.append(walk)
        walk.start()
        return True

    def _walk(self, url: str, person: Person) -> None:
        assert self._browser is not None
        try:
            answer: Answer = self._browser.visit(url, person)
            self._browser.deliver(answer)
        except BaseException as error:
            self._problems.append(error)
