"""mcp-authlab: attacks with tokens, the challenge, RFC 9728 and RFC 8414. Grade A is required."""

from __future__ import annotations

import json

from emulator import LEDGER
from validator import ADELE, Bench

# Without checks that it skips, and one that the policy leaves out.
PATIENCE = 300

# What it may find of an authorization server that is Entra: no PKCE in the metadata, no registration of clients, no `iss`.
OF_ENTRA = {"ASM-04": "fail", "ASM-05": "warn", "ASM-06": "warn"}

# What it skips, and why: a flow at the authorization server (which is Entra's business), and sessions, which Valet has none of.
SKIPPED = {"ASF-01", "ASF-02", "ASF-03", "ASF-04", "ASF-05", "ASF-06", "SESS-01", "SESS-02"}


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
    results = {result["id"]: result for result in report["results"]}
    for check, result in results.items():
        if check in OF_ENTRA:
            bench.report.equal(f"{check}, of Entra", result["status"], OF_ENTRA[check])
        elif check in SKIPPED:
            bench.report.equal(f"{check}, skipped", result["status"], "skip")
        else:
            bench.report.check(check, result["status"] == "pass", f"{result['status']}: {result['message']}")
    bench.report.check("the checks are all there", len(results) >= 33, f"{len(results)}")
    bench.still_serves()
