"""What the programs of the jobs have in common: their options, where Chromium is, and what is said where a job does not run."""

from __future__ import annotations

import argparse
from pathlib import Path

# Exit code of a job that this machine does not allow (the convention of automake and meson).
NOT_RUN = 77

# Where Debian, Ubuntu and Google have it.
_CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]


def chromium() -> str | None:
    """The browser of this machine."""
    return next((file for file in _CHROMIUM if Path(file).exists()), None)


def lacking(packages: list[str]) -> str:
    """That these are missing, and how to get them; nothing where none is."""
    names = " ".join(packages)
    return f"not installed: {names} (Debian and Ubuntu: apt-get install {names})" if packages else ""


def not_run(job: str, reason: str) -> int:
    """Says so aloud: a job that did not run must not be taken for one that passed."""
    print(f"NOT RUN: {job} were NOT RUN: {reason}", flush=True)
    return NOT_RUN


def parser(about: str | None, work: Path, kept: str, names: list[str], name: str) -> argparse.ArgumentParser:
    """The options of every job: the programs, the folder for what is `kept`, and which of the `names` to run."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--valet", metavar="PROGRAM", type=Path, required=True)
    made.add_argument("--emulator", metavar="PROGRAM", type=Path, required=True)
    made.add_argument("--artifacts", metavar="FOLDER", type=Path, required=True, help="the folder with the .cwasm files")
    made.add_argument("--work", metavar="FOLDER", type=Path, default=work, help=f"for {kept} (default: %(default)s)")
    made.add_argument("--only", default="", help=f"part of {name}: {' '.join(names)}")
    return made


def parser_with_cases(about: str | None, work: Path, kept: str, suites: list[str]) -> argparse.ArgumentParser:
    """The same for a job whose suites have cases."""
    made = parser(about, work, kept, suites, "a suite's name")
    made.add_argument("--case", default="", help="part of a case's line")
    return made
