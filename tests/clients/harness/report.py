"""One line for each check, and the count at the end."""

from __future__ import annotations


class Report:
    """Prints checks as they are made."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self._section = ""

    def section(self, name: str) -> None:
        """What stands before the checks that follow."""
        self._section = name

    def check(self, what: str, holds: bool, detail: str = "") -> None:
        """One check; `detail` is shown if it does not hold."""
        self.count(holds)
        line = f"{self._section}: {what}"
        print(f"ok {line}" if holds else f"FAILED {line}: {detail}", flush=True)

    def count(self, holds: bool) -> None:
        """A check that was printed already."""
        self.passed += holds
        self.failed += not holds

    def equal(self, what: str, got: object, wanted: object) -> None:
        """Both are the same."""
        self.check(what, got == wanted, f"{got!r} instead of {wanted!r}")

    def contains(self, what: str, got: str, wanted: str) -> None:
        """`wanted` is somewhere in `got`."""
        self.check(what, wanted in got, f"{got!r} does not contain {wanted!r}")

    def end(self) -> int:
        """The last line, and the exit code."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
