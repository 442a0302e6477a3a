"""Valet judged by validators of other people. README.md says how to run it; only the standard library is needed."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients" / "harness"))

import authlab
import environment
import fuzzer
import job
import overstep
import servers
from report import Report
from validator import Bench

# Name, and what it does with the server. Each has an environment of its own, made of requirements-NAME.txt.
VALIDATORS = {"authlab": authlab.run, "overstep": overstep.run, "fuzzer": fuzzer.run}


def main() -> int:
    options = parse()
    report = Report()
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    rules = (HERE / "rules.toml").read_text()
    try:
        with servers.started(programs, options.work / "servers", scope_of_the_url=True, rules=rules) as target:
            for name, run in VALIDATORS.items():
                if options.only not in name:
                    continue
                report.section(name)
                try:
                    python = environment.prepare(options.work, HERE / f"requirements-{name}.txt")
                    run(Bench(target, python, options.work / name, options.valet, report))
                except environment.Unusable as error:
                    report.check("could be installed", False, str(error))
            report.section("the server's log")
            target.check_log(report)
            if report.failed:
                target.show_logs()
    except servers.NotStarted as error:
        report.check("the servers could be started", False, str(error))
    return report.end()


def parse() -> argparse.Namespace:
    kept = "virtual environments, logs and reports"
    return job.parser(__doc__, servers.work("validators"), kept, list(VALIDATORS), "a name").parse_args()


if __name__ == "__main__":
    servers.run(main)
