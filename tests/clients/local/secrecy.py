"""What programs wrote, searched for what they must not write: every token, code and key that went through this job."""

from __future__ import annotations

import json
import re
from pathlib import Path

from report import Report

# Standard output and standard error of the server, as kept by desk.py, those of the clients, and what a terminal showed.
KEPT = ("*.out", "*.err", "client.log", "*.txt")

# In entries of MSAL's cache.
SECRET = "secret"

# What every refresh token of the emulator looks like. Each refresh replaces one, so caches hold the last ones alone.
REFRESH_TOKEN = re.compile(r"(?<![\w.])1\.[A-Za-z0-9_-]{60,}")


def check(folder: Path, report: Report, whole: bool) -> None:
    """In all desks below `folder`. `whole`: the job ran as a whole."""
    report.section("local, what was written")
    secrets = canaries(folder)
    written = {file: file.read_text(errors="replace") for pattern in KEPT for file in folder.rglob(pattern)}
    kept = refresh_tokens(folder)
    report.equal("refresh tokens look as expected", [token for token in kept if not REFRESH_TOKEN.fullmatch(token)], [])
    # So that the search for what must not be there is a search for something, in the right place.
    if whole:
        report.check("there are secrets to look for", len(secrets) > 50 and len(kept) > 10, f"{len(secrets)}, {len(kept)} refresh tokens")
        served = sum("serving on standard input" in text for text in written.values())
        report.check("and texts to look in", served > 50, f"{served} of {len(written)} files")
    # Every JSON Web Token begins so, being Base64 of `{"`.
    found = [str(file) for file, text in written.items() if "eyJ" in text or REFRESH_TOKEN.search(text) or any(secret in text for secret in secrets)]
    report.equal("no token and no code", found, [])
    faults = [f"{file}: {line}" for file, text in written.items() for line in text.splitlines() if " ERROR " in line or "panicked" in line]
    report.equal("no faults", faults, [])
    foreign = [str(file) for file, text in written.items() if file.name == "stdio.out" and not all(map(_is_message, text.splitlines()))]
    report.equal("nothing but messages on the standard output of `valet stdio`", foreign, [])


def refresh_tokens(folder: Path) -> set[str]:
    """Those in caches that lie in clear."""
    caches = [json.loads(file.read_text()) for file in folder.rglob("tokens.json")]
    return {entry[SECRET] for cache in caches for entry in cache.get("RefreshToken", {}).values()}


def canaries(folder: Path) -> set[str]:
    """Codes that somebody brought, and what is in caches that lie in clear."""
    found = {line for file in folder.rglob("canaries") for line in file.read_text().split()}
    for file in folder.rglob("tokens.json"):
        for section in json.loads(file.read_text()).values():
            found |= {entry[SECRET] for entry in section.values() if isinstance(entry, dict) and SECRET in entry}
    return found


def _is_message(line: str) -> bool:
    try:
        return json.loads(line).get("jsonrpc") == "2.0"
    except ValueError:
        return False
