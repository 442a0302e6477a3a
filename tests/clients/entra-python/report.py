"""One line for each case, and the count at the end."""

from __future__ import annotations


class Report:
    """Prints cases as they end."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def case(self, name: str, problem: str | None) -> None:
        """One case; `problem` is None if all held."""
        self.passed += problem is None
        self.failed += problem is not None
        print(f"ok {name}" if problem is None else f"FAILED {name}: {problem}", flush=True)

    def end(self) -> int:
        """The last line, and the exit code."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
