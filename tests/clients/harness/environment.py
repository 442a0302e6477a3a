"""A virtual environment for one list of requirements, made once."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

# Downloads included.
PATIENCE = 600


class Unusable(Exception):
    """There is no such environment, and why."""


def prepare(work: Path, requirements: Path) -> Path:
    """The Python of an environment with exactly `requirements`, below `work`."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise Unusable(
                f"{sys.executable} has no module `{module}`, so no virtual environment can be made; "
                "on Debian and Ubuntu: apt-get install python3-venv"
            )
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = work.resolve() / f"{requirements.stem}-{key}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    # Written last, so an installation that was broken off is begun again.
    complete = folder / "complete"
    if complete.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {requirements.name} into {folder}", file=sys.stderr, flush=True)
    _run("making a virtual environment", sys.executable, "-m", "venv", str(folder))
    # Wheels only: nothing that is downloaded runs while it is installed.
    _run(
        f"pip install -r {requirements.name} (it needs a package index; PIP_INDEX_URL and PIP_FIND_LINKS name others)",
        str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
        "--only-binary", ":all:", "--requirement", str(requirements),
    )
    complete.touch()
    return python


def _run(what: str, *command: str) -> None:
    try:
        subprocess.run(command, check=True, timeout=PATIENCE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.CalledProcessError as error:
        raise Unusable(f"{what} failed:\n{error.stdout.strip()}") from None
    except subprocess.TimeoutExpired:
        raise Unusable(f"{what} took more than {PATIENCE} seconds") from None
    except OSError as error:
        raise Unusable(f"{what} failed: {error}") from None
