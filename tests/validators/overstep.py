"""overstep: callers, tools and a resource, each pair called and compared with matrix.yaml. No finding is allowed."""

from __future__ import annotations

import json
from pathlib import Path

from emulator import LEDGER
from validator import ADELE, ALEX, Bench

MATRIX = Path(__file__).with_name("matrix.yaml")
PATIENCE = 300


def run(bench: Bench) -> None:
    """Makes the tokens that the matrix names, and runs it."""
    emulator = bench.target.emulator
    tokens = {
        "MCP_URL": bench.target.url,
        "FOREIGN_TOKEN": emulator.token(ADELE, ["entries.read"], LEDGER),
        "BARE_USER_TOKEN": emulator.token(ALEX, ["mcp.admin"]),
        "USER_TOKEN": emulator.token(ALEX),
        "OPERATOR_TOKEN": emulator.token(ADELE),
        "BARE_APPLICATION_TOKEN": emulator.application_token([]),
        "APPLICATION_TOKEN": emulator.application_token(["Tools.Call.All"]),
    }
    command = [bench.command("overstep"), "run", str(MATRIX), "--out", "out", "--fail-on", "any"]
    outcome = bench.run(command, PATIENCE, tokens)
    bench.report.check("ended well", outcome.code == 0, f"{outcome.code}: {outcome.output[-2000:]}")
    summary = json.loads((bench.folder / "out" / "findings.json").read_text())["summary"]
    bench.report.equal("findings", summary["findings"], 0)
    bench.report.check("every call was made", not summary["undelivered_tests"] and not summary["untested_surfaces"], str(summary))
    # Seven callers, two tools and a resource, two eras: 42 calls, of which 12 are allowed. The others are probes with a
    # foreign token, with a session id alone (skipped, as there are no sessions), and of what the list of tools shows.
    counts = [summary[name] for name in ("positive_tests", "negative_tests", "listing_tests", "skipped_tests")]
    bench.report.equal("allowed, denied, lists, skipped", counts, [12, 44, 14, 12])
    bench.still_serves()
