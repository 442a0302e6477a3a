"""The emulator as a process, for as long as a block of code runs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Debug builds make keys for seconds; machines of continuous integration are slow.
START = 60


class NotStarted(Exception):
    """Why the emulator is not running."""


@contextlib.contextmanager
def running(program: Path, folder: Path, registrations: Path) -> Iterator[dict[str, Any]]:
    """Runs in `folder`, logs there, ends with the block. Yields what the emulator says of itself."""
    ready = folder / "ready.json"
    command = [
        str(program.resolve()),
        "--bind",
        "127.0.0.1:0",
        "--config",
        str(registrations),
        "--state",
        "state",
        "--ready-file",
        str(ready),
        "--managed-identity",
        "127.0.0.1:0",
        "--log",
    ]
    log_file = folder / "emulator.log"
    with log_file.open("wb") as log:
        try:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        except OSError as error:
            raise NotStarted(f"{program} cannot be run: {error}") from None
        try:
            yield _wait(process, ready, log_file)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START
    while True:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(ready.read_text())
        stopped = process.poll()
        if stopped is not None or time.monotonic() > deadline:
            fate = f"was not ready after {START} seconds" if stopped is None else f"stopped with exit code {stopped}"
            raise NotStarted(f"the emulator {fate}; {log} says:\n{log.read_text(errors='replace').strip()}")
        time.sleep(0.1)
