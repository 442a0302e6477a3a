"""Programs that print one line for each check: run, passed on and counted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from report import Report

HERE = Path(__file__).resolve().parent


def follow(
    what: str, command: list[str], report: Report, patience: float, variables: dict[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Runs a client and counts its checks. It says by its last line that it ran to its end (`report.py` does). What it says,
    also on standard error, is kept in `log`."""
    with (
        (log or Path(os.devnull)).open("a") as kept,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT if log else None, text=True, env=_environment(variables or {})
        ) as client,
    ):
        deadline = after(patience, client.kill)
        complete = False
        try:
            for line in client.stdout or ():
                kept.write(line)
                if line.startswith(("ok ", "FAILED ")):
                    report.count(line.startswith("ok "))
                    print(line, end="", flush=True)
                elif line.endswith(" failed\n") or line == "end of the suite\n":
                    complete = True
                else:
                    print(line, end="", file=sys.stderr, flush=True)
        except BaseException:
            client.kill()
            raise
        finally:
            deadline.cancel()
    if not complete:
        report.section(what)
        report.check("ran to its end", False, f"it stopped with exit code {client.returncode}")


def _environment(variables: dict[str, str]) -> dict[str, str]:
    """Without what would steer a client: settings of Python and Node, proxies, and those of the developer's own Valet."""
    steering = ("PYTHON", "NODE_", "VALET_", "MCP_", "npm_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(steering) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(HERE), **variables}


def after(seconds: float, act: Callable[[], object]) -> threading.Timer:
    """Acts unless cancelled before."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer
