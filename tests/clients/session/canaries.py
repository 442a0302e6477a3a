"""The search for secrets in whatever a run left behind: each token, code and cookie that a client or a browser saw."""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from report import Report

# One JSON array for each, `[kind, value]`, in the folder of the run.
FILE = "canaries.jsonl"

# Where secrets belong: what clients keep for themselves, what the emulator is and says, what this job tells its suites, keys.
THEIRS = re.compile(r"homes/.*|emulator/.*|emulator\.log|context\.json|.*\.pem|" + re.escape(FILE))

# What has to have been seen, or the search was one for nothing.
KINDS = {"code", "access token", "refresh token", "verifier"}

# Valet's own cookies, which it has where it gives out the tokens itself: of a sign-in that is under way, from the page that asks for permission to Entra and back,
# and of the person who signed in. What begins their names (components/core/oauth: `transaction/names.rs`, `user.rs`), and what they are called here.
COOKIES = {"__Host-valet-tx-": "transaction cookie", "__Host-valet-user": "user cookie"}

# So much of a value is enough to be found, so that what is cut short in a log is found as well.
ENOUGH = 20

# The characters of tokens, codes and cookies, also percent-encoded.
WORD = r"[A-Za-z0-9._~%+/=-]"

# What a client keeps in a file, by name of the member.
MEMBERS = {
    "access_token": "access token", "refresh_token": "refresh token", "id_token": "id token", "code_verifier": "verifier",
    "codeVerifier": "verifier",
}


def keep(kind: str, value: str | None) -> None:
    """Notes a secret that a suite in Python saw."""
    if value:
        # One write each: several clients append to one file.
        with Path(os.environ["MCP_CANARIES"]).open("a") as file:
            file.write(json.dumps([kind, value]) + "\n")


def keep_cookie(name: str, value: str | None) -> None:
    """Notes a cookie. It belongs in `Set-Cookie` and `Cookie` alone, which nothing writes down."""
    keep(next((kind for start, kind in COOKIES.items() if name.startswith(start)), "cookie"), value)


def keep_issued(folder: Path, issued: dict[str, list[str]]) -> None:
    """Notes what Entra gave out, as the emulator tells it (`GET /emulator/issued`): in `session` no client sees it."""
    kinds = {"codes": "code of Entra's", "refresh_tokens": "refresh token of Entra's"}
    with (folder / FILE).open("a") as file:
        file.writelines(json.dumps([kind, value]) + "\n" for member, kind in kinds.items() for value in issued[member])


def search(report: Report, folder: Path, kinds: set[str], fixed: dict[str, str], others: list[Path]) -> None:
    """Checks what is below `folder` and in `others`, when everything has ended. `fixed`: secrets of the configuration, by kind."""
    seen: dict[str, str] = {}
    for kind, value in (*_noted(folder), *_in_homes(folder / "homes")):
        # What a client saw keeps the client's word for it: in `facade` and `direct` its code is Entra's.
        seen.setdefault(value, kind)
    seen |= {value: kind for kind, value in fixed.items()}
    files = [file for file in folder.rglob("*") if file.is_file() and not THEIRS.fullmatch(str(file.relative_to(folder)))]
    files += [file for other in others for file in other.rglob("*") if file.is_file()]
    counts = Counter(seen.values())
    report.check(
        f"secrets were seen: {', '.join(f'{count} times {kind}' for kind, count in sorted(counts.items()))}",
        kinds <= counts.keys(), f"none of the kinds {sorted(kinds - counts.keys())}",
    )
    # So that a search which finds nothing is one that would.
    planted = folder / "planted.log"
    some = {kind: max((value for value in seen if seen[value] == kind), key=len) for kind in counts}
    lost = []
    for kind, value in some.items():
        # Long ones are cut short, as in a log.
        cut = value[:-1] if len(value) > 2 * ENOUGH else value
        planted.write_text(f"for the search to find: {urllib.parse.quote(cut, safe='')}\n")
        if kind not in _found(planted, seen):
            lost.append(kind)
    planted.unlink(missing_ok=True)
    report.equal("what is planted is found, one of each kind", lost, [])
    leaks = {str(file): sorted(found) for file in files if (found := _found(file, seen))}
    report.equal(f"no secret is in any of {len(files)} logs, pages and pictures", leaks, {})


def _noted(folder: Path) -> Iterator[tuple[str, str]]:
    file = folder / FILE
    for line in file.read_text().splitlines() if file.exists() else []:
        kind, value = json.loads(line)
        yield kind, value


def _in_homes(homes: Path) -> Iterator[tuple[str, str]]:
    """What programs keep in files of their own."""
    members = re.compile(r'\\*"(' + "|".join(MEMBERS) + r')\\*"\s*:\s*\\*"([^"\\]+)')
    for file in homes.rglob("*"):
        if file.is_file() and "verifier" in file.name and (text := file.read_text(errors="replace").strip()):
            yield "verifier", text
        elif file.is_file():
            for name, value in members.findall(file.read_text(errors="replace")):
                yield MEMBERS[name], value


def _found(file: Path, seen: dict[str, str]) -> set[str]:
    """Kinds of the secrets that are in a file, whole or a good part of them, also percent-encoded."""
    content = file.read_bytes().decode("latin-1")
    # Each word once: a log says most things many times, and there are thousands of secrets.
    words = "\n".join(set(re.findall(f"{WORD}{{8,}}", content)))
    return {
        kind for value, kind in seen.items()
        for part in {each for part in _parts(value) for each in (part, urllib.parse.quote(part, safe=""))}
        if part in (words if re.fullmatch(f"{WORD}{{8,}}", part) else content)
    }


def _parts(value: str) -> Iterator[str]:
    """What gives a secret away: of a JWT its claims and its signature, since each has the same header; of others the beginning and the end."""
    if value.startswith("eyJ") and value.count(".") == 2:
        # The first claims are the same in all tokens of a kind, so the middle is taken.
        _, claims, signature = value.split(".")
        yield claims[len(claims) // 2:][:ENOUGH]
        yield signature[:ENOUGH]
    elif len(value) <= 2 * ENOUGH:
        yield value
    else:
        # What is before the only point of a refresh token names its family or a version, which a store may have in clear.
        before, point, rest = value.partition(".")
        secret = rest if point and "." not in rest and len(rest) > 2 * ENOUGH else value
        yield secret[:ENOUGH]
        yield secret[-ENOUGH:]
