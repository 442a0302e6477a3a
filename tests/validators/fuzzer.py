"""mcp-fuzzer: arguments and messages that are wrong in many ways, from a fixed seed and so many that it ends. It is not asked
for its opinion: what counts is what Valet answered, as a witness between the two has written down."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

import servers
import tls
from validator import ADELE, Bench
from witness import watching

SEED = "20261126"
REVISIONS = ("2025-11-25", "2026-07-28")

# Fewer answers than this, and it did not fuzz. It was some hundreds when this was written.
ENOUGH = 100

PATIENCE = 600

# Seconds for the processes of stdio to end when their input has.
END = 15


def run(bench: Bench) -> None:
    """Over HTTP with the messages of both eras, then over stdio."""
    bench.folder.joinpath("sandbox").mkdir()
    for revision in REVISIONS:
        over_http(bench, revision)
    over_stdio(bench)


def command(bench: Bench, protocol: str, endpoint: str, revision: str) -> list[str]:
    """The same amount of the same things, whatever the wire."""
    return [
        bench.command("mcp-fuzzer"), "--protocol", protocol, "--endpoint", endpoint, "--spec-schema-version", revision,
        "--mode", "all", "--phase", "both", "--protocol-phase", "aggressive", "--runs", "20", "--runs-per-type", "10",
        "--seed", SEED, "--no-corpus", "--no-network", "--fs-root", "sandbox", "--fail-if-no-tools",
        "--timeout", "10", "--max-concurrency", "4", "--output-dir", f"{protocol}-{revision}",
    ]


def over_http(bench: Bench, revision: str) -> None:
    """No 5xx, no answer that does not come, no token in an answer."""
    report, token = bench.report, bench.target.emulator.token(ADELE)
    report.section(f"fuzzer, HTTP, {revision}")
    context = tls.trusting([str(file) for file in bench.target.ca_files])
    # In the environment, so that it is in no list of processes.
    variables = {"MCP_CUSTOM_HEADERS": json.dumps({"Authorization": f"Bearer {token}"})}
    with watching(bench.target.url, context, token) as (url, witness):
        outcome = bench.run(command(bench, "streamablehttp", url, revision), PATIENCE, variables)
    report.equal("ended by itself", outcome.code, 0)
    seen = dict(sorted(witness.statuses.items()))
    (bench.folder / f"answers-{revision}.json").write_text(json.dumps(seen))
    report.check(f"at least {ENOUGH} answers", sum(seen.values()) >= ENOUGH, f"{seen}")
    report.check("good calls among them", seen.get(200, 0) > 0, f"{seen}")
    report.equal("no 5xx", {status: times for status, times in seen.items() if status >= 500}, {})
    report.equal("every request was answered", witness.broken, [])
    report.equal("no token in an answer", witness.leaks, 0)
    bench.still_serves()


def over_stdio(bench: Bench) -> None:
    """Nothing but messages on standard output, a clean end, no panic, no token."""
    report, token = bench.report, bench.target.emulator.token(ADELE)
    report.section("fuzzer, stdio")
    seen = bench.folder / "stdio"
    seen.mkdir()
    environment = {"VALET_ACCESS_TOKEN": token, "VALET_CLIENT_SECRET": servers.CLIENT_SECRET}
    program = [str(bench.valet.resolve()), "stdio", "--config", str(bench.target.configuration.resolve())]
    (seen / "command.json").write_text(json.dumps({"command": program, "environment": environment}))
    witness = shlex.join([sys.executable, str(Path(__file__).with_name("stdio_witness.py")), str(seen)])
    outcome = bench.run(command(bench, "stdio", witness, REVISIONS[-1]), PATIENCE)
    report.equal("ended by itself", outcome.code, 0)
    until = time.monotonic() + END
    while len(list(seen.glob("run-*.json"))) < len(list(seen.glob("begun-*"))) and time.monotonic() < until:
        time.sleep(0.1)
    runs = [json.loads(file.read_text()) for file in sorted(seen.glob("run-*.json"))]
    report.equal("every process ended", len(runs), len(list(seen.glob("begun-*"))))
    report.check(f"at least {ENOUGH} messages came", sum(run["messages"] for run in runs) >= ENOUGH, f"{len(runs)} processes")
    report.equal("nothing else on standard output", [line for run in runs for line in run["other"]], [])
    report.equal("every process ended cleanly", {run["code"] for run in runs}, {0})
    said = "\n".join(run["said"] for run in runs)
    report.check("no panic", "panicked" not in said, said[-600:])
    report.check("no token", not any(run["leaked"] for run in runs) and token not in said, "there is one")
