"""Valet's clock, moved while it runs: libfaketime reads a file, at each look at the time of day. Other clocks stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

# Debian and Ubuntu: apt-get install faketime, which has the library with it
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@dataclass(frozen=True)
class Clock:
    """How a program gets this clock."""

    # What it is set by: `+660` is eleven minutes ahead. None where the library is not installed.
    file: Path | None
    variables: dict[str, str] = field(default_factory=dict)


def of(folder: Path) -> Clock:
    """A clock that is right, until somebody writes into its file."""
    if not LIBRARIES:
        return Clock(None)
    file = folder / "clock"
    file.write_text("+0\n")
    # What waits for something measures with the monotonic clock, which has to go on.
    return Clock(file, {
        "LD_PRELOAD": str(LIBRARIES[-1]), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    })
