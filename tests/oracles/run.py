#!/usr/bin/env python3
"""Holds our verdicts against those of PyJWT and jose on one corpus.

    run.py --make PROGRAM --work FOLDER

PROGRAM is `valet-oracles`, which writes the corpus; it is run once both verifiers are there, which are installed below --work. Where they accept and we do not, the rule
of ours has to be in `differences.json` with its reason and the tokens that it is about, and each line and each pattern of tokens there has to be needed. Where we accept and one of them does not, the
run fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients" / "harness"))
from environment import Unusable, prepare  # noqa: E402

# Fewer would mean that the corpus was not made as it is meant to be.
LEAST = 2000
PATIENCE = 600


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--make", type=Path, required=True, metavar="PROGRAM", help="valet-oracles, which makes the corpus")
    arguments.add_argument("--work", type=Path, required=True)
    given = arguments.parse_args()
    try:
        python = prepare(given.work, HERE / "requirements.txt")
        packages = jose(given.work)
    except Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 1
    # Now, not before what takes its time: some of the tokens end within seconds.
    folder = given.work.resolve() / "corpus"
    subprocess.run([str(given.make), str(folder)], check=True, timeout=PATIENCE)
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    if len(corpus) < LEAST:
        print(f"the corpus has {len(corpus)} tokens, fewer than {LEAST}", file=sys.stderr)
        return 1
    judges = {
        "PyJWT": [str(python), str(HERE / "judge.py"), str(folder)],
        "jose": ["node", str(HERE / "judge.mjs"), str(folder), str(packages)],
    }
    listed = json.loads((HERE / "differences.json").read_text())
    accepted = sum(token["valet"] == "accepted" for token in corpus)
    print(f"{len(corpus)} tokens, of which we accept {accepted}")
    used: set[tuple[str, str]] = set()
    faults = [fault for name, command in judges.items() for fault in compare(name, judge(command), corpus, listed, used)]
    for rule, entry in listed.items():
        idle = [pattern for pattern in entry["tokens"] if (rule, pattern) not in used]
        faults += [f"the list names tokens of our rule {rule!r} about which nobody differs, take them off: {pattern!r}" for pattern in idle]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def judge(command: list[str]) -> list[str]:
    done = subprocess.run(command, check=True, timeout=PATIENCE, text=True, stdout=subprocess.PIPE)
    return done.stdout.splitlines()


def compare(name: str, verdicts: list[str], corpus: list[dict], listed: dict[str, dict], used: set[tuple[str, str]]) -> list[str]:
    """What is wrong, in words; prints a summary. Adds to `used` each rule with its pattern of tokens (`*` is anything) that was needed."""
    if len(verdicts) != len(corpus):
        return [f"{name} gave {len(verdicts)} verdicts on {len(corpus)} tokens"]
    faults, stricter = [], Counter()
    for token, verdict in zip(corpus, verdicts):
        ours, theirs = token["valet"] == "accepted", verdict == "accepted"
        if ours and not theirs:
            faults.append(f"{name} refuses what we accept: {token['what']} ({verdict})")
        elif theirs and not ours:
            stricter[token["valet"]] += 1
            entry = listed.get(token["valet"], {"accepted by": [], "tokens": []})
            patterns = [pattern for pattern in entry["tokens"] if fnmatchcase(token["what"], pattern)]
            used.update((token["valet"], pattern) for pattern in patterns)
            if name not in entry["accepted by"] or not patterns:
                faults.append(f"{name} accepts what we refuse, which is not listed: {token['what']} ({token['valet']})")
    for rule, entry in listed.items():
        if name in entry["accepted by"] and rule not in stricter:
            faults.append(f"the list says that {name} accepts what our rule {rule!r} refuses, and it did not: take it off")
    agree = len(corpus) - sum(stricter.values())
    print(f"{name}: agrees on {agree}, accepts {sum(stricter.values())} that we refuse by listed rules")
    for rule, count in sorted(stricter.items()):
        print(f"  {count:5} {rule}")
    return faults


def jose(work: Path) -> Path:
    """The folder with jose, installed as package-lock.json says."""
    folder = work.resolve() / "jose"
    lists = {name: (HERE / name).read_bytes() for name in ("package.json", "package-lock.json")}
    complete = folder / "complete"
    if complete.exists() and complete.read_bytes() == lists["package-lock.json"]:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in lists.items():
        (folder / name).write_bytes(content)
    print(f"installing jose into {folder}", file=sys.stderr, flush=True)
    # No scripts: nothing that is downloaded runs while it is installed.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unusable(f"npm ci failed: {error}\n{getattr(error, 'stdout', '') or ''}") from None
    complete.write_bytes(lists["package-lock.json"])
    return folder


if __name__ == "__main__":
    sys.exit(main())
