"""mcp-authlab: attacks with tokens, the challenge, RFC 9728 and RFC 8414. Grade A is required."""

from __future__ import annotations

import json

from emulator import LEDGER
from validator import ADELE, Bench

# Without checks that it skips, and one that the policy leaves out.
PATIENCE = 60

# What it may find of an authorization server that is Entra: no PKCE in the metadata, no registration of clients, no `iss`.
OF_ENTRA = {"ASM-04": "fail", "ASM-05": "warn", "ASM-06": "warn"}


def run(bench: Bench) -> None:
    """Scans with a good token of Adele's and one for another API."""
    emulator = bench.target.emulator
    tokens = {
        "MCP_AUTHLAB_TOKEN": emulator.token(ADELE),
        "MCP_AUTHLAB_FOREIGN_TOKEN": emulator.token(ADELE, ["entries.read"], LEDGER),
    }
    policy = str(__file__).replace("authlab.py", "authlab-policy.toml")
    command = [bench.command("mcp-authlab"), "scan", bench.target.url, "--no-login", "--policy", policy,
               "--format", "json", "--output", "report.json"]
    outcome = bench.run(command, PATIENCE, tokens)
    bench.report.check("ended well", outcome.code == 0, f"{outcome.code}: {outcome.output[-2000:]}")
    report = json.loads((bench.folder / "report.json").read_text())
    bench.report.equal("grade", report["grade"], "A")
    found = {}
    for result in report["results"]:
        bench.report.check(f"{result['id']} was tried", result["status"] != "error", result["message"])
        if result["status"] in ("fail", "warn"):
            found[result["id"]] = result["status"]
    bench.report.equal("found nothing but what is Entra's", found, OF_ENTRA)
    for critical in ("TOK-01", "TOK-02", "TOK-03"):
        status = next(r["status"] for r in report["results"] if r["id"] == critical)
        bench.report.equal(f"{critical} was judged", status, "pass")
    bench.still_serves()
