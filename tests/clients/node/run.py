"""Valet tested with MCP clients for JavaScript. README.md says how to run it."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

import argparse
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import expected
import job
import lines
import packages
import servers
from emulator import API
from report import Report

SUITES = ["sdk-2", "sdk-1", "mcp-remote", "inspector"]

# For all cases of one suite.
PATIENCE = 600


def main() -> int:
    options = parse()
    report = Report()
    try:
        installed = packages.install(HERE, options.work)
        node = packages.node(installed)
    except packages.Unsuitable as reason:
        print(f"run.py: not run: {reason}", file=sys.stderr)
        return job.NOT_RUN
    except packages.Unusable as error:
        report.check("the packages could be installed", False, str(error))
        return report.end()
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    rules = servers.RULES + servers.FEW_PLACES
    try:
        with servers.started(programs, options.work / "servers", scope_of_the_url=True, rules=rules) as target:
            context = write_context(target, installed, options.valet)
            for suite in SUITES:
                if options.only in suite:
                    command = [str(node), str(HERE / f"suite-{suite}.mjs")]
                    lines.follow(suite, command, report, PATIENCE, variables(context, target, options.case))
            report.section("the server's log")
            target.check_log(report)
            if report.failed:
                target.show_logs()
    except servers.NotStarted as error:
        report.check("the servers could be started", False, str(error))
    return report.end()


def variables(context: Path, target: servers.Target, case: str) -> dict[str, str]:
    """What a suite gets: Node reads further certificates when a process starts."""
    bundle = target.bundle(context.with_name("trusted.pem"))
    return {"MCP_NODE_CONTEXT": str(context), "NODE_EXTRA_CA_CERTS": str(bundle), "ENTRA_NODE_CASE": case}


def write_context(target: servers.Target, installed: Path, valet: Path) -> Path:
    """The file that context.mjs reads."""
    users = {
        user: {
            "whoami": expected.whoami(user), "profile": expected.PROFILES[user], "text": expected.PROFILE_TEXTS[user],
            "introduction": expected.introduction(user),
        }
        for user in expected.PROFILES
    }
    prompt = {"name": expected.PROMPT, "arguments": expected.PROMPT_ARGUMENTS}
    facts = {"client_id": expected.CLIENT_ID, "scope": expected.SCOPE, "api": API, "users": users,
             "resource": expected.RESOURCE_URI, "prompt": prompt}
    stdio = {"program": str(valet.resolve()), "configuration": "valet.toml", "secret": servers.CLIENT_SECRET}
    folder = target.configuration.parent
    context = {
        "url": target.url,
        "scope": target.scope,
        "authority": target.emulator.authority,
        "folder": str(folder.resolve()),
        "packages": str(installed),
        "expected": facts,
        "stdio": stdio,
    }
    file = folder / "context.json"
    file.write_text(json.dumps(context))
    return file


def parse() -> argparse.Namespace:
    return job.parser_with_cases(__doc__, servers.work("node"), "packages and logs", SUITES).parse_args()


if __name__ == "__main__":
    servers.run(main)
