"""overstep: callers and tools, each pair called and compared with matrix.yaml. No finding is allowed."""

from __future__ import annotations

import json
from pathlib import Path

from emulator import LEDGER
from validator import ADELE, ALEX, Bench

MATRIX = Path(__file__).with_name("matrix.yaml")
PATIENCE = 60


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
    result = json.loads((bench.folder / "out" / "report.json").read_text())
    print(json.dumps(result)[:1500])
    bench.still_serves()
