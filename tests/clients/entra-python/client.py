"""Runs the cases. Started by run.py inside the virtual environment, with the emulator already there."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import ipaddress
import logging
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from bench import Bench
from cases import CASES, Case, Wrong
from report import Report
from world import World

# For one case; the retries of Microsoft's clients take seconds.
PATIENCE = 90

# In the order in which they run; the one that moves the emulator's clock is last.
FILES = (
    "msal_public",
    "msal_accounts",
    "msal_device",
    "msal_confidential",
    "msal_behalf",
    "msal_machine",
    "identity",
    "identity_users",
    "identity_later",
    "graph_read",
    "graph_write",
    "graph_trouble",
    "vault",
    "clock",
)

# What the running case tried to reach.
OUTSIDE: list[str] = []


def keep_inside(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no case may look up or connect to anything but this machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if host in ("localhost", "None") or _loopback(host):
        return
    OUTSIDE.append(host)
    raise OSError(f"the case tried to reach {host}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load() -> None:
    """Imports the cases."""
    for name in FILES:
        importlib.import_module(name)


def problem_of(case: Case, bench: Bench) -> str | None:
    """Runs a case."""
    OUTSIDE.clear()
    signal.alarm(PATIENCE)
    try:
        bench.admin.heal()
        outcome = case.run(bench)
        if inspect.isawaitable(outcome):
            asyncio.run(_awaited(outcome))
    except Wrong as error:
        return str(error)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)
        ours = next((f for f in reversed(where) if Path(f.filename).parent == Path(__file__).parent), where[-1])
        return f"{type(error).__name__}: {error} ({Path(ours.filename).name}:{ours.lineno})"
    finally:
        signal.alarm(0)
    return f"it tried to reach {', '.join(OUTSIDE)}" if OUTSIDE else None


async def _awaited(outcome: Any) -> None:
    await outcome


def too_slow(*_: object) -> None:
    """The alarm of a case."""
    raise TimeoutError(f"not finished after {PATIENCE} seconds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    # What the libraries log and warn of expected refusals would only confuse; what matters is raised.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, too_slow)
    sys.addaudithook(keep_inside)
    bench = Bench(World.read(options.world))
    load()
    report = Report()
    for case in CASES:
        if options.only is None or options.only in case.name:
            problem = problem_of(case, bench)
            report.case(case.name, problem and " ".join(problem.split()))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
