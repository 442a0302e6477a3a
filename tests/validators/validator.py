"""What every validator works with: the server, its own environment, a folder, and the report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import expected
import servers
import tls
from report import Report

ADELE = "adele@contoso.example"
ALEX = "alex@contoso.example"


@dataclass(frozen=True)
class Outcome:
    """How a program ended. None if it had to be stopped."""

    code: int | None
    output: str


@dataclass
class Bench:
    """One validator and what it looks at."""

    target: servers.Target
    python: Path
    folder: Path
    valet: Path
    report: Report

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def command(self, name: str) -> str:
        """A command of the validator's environment."""
        return str(self.python.with_name(name))

    def run(self, command: list[str], patience: float, variables: dict[str, str] | None = None) -> Outcome:
        """Runs it in the folder, with nothing of the developer's environment but the path."""
        trusted = self.target.bundle(self.folder / "trusted.pem")
        known = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "SSL_CERT_FILE": str(trusted), "COLUMNS": "200"}
        try:
            done = subprocess.run(
                command, cwd=self.folder, env={**known, **(variables or {})}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=patience,
            )
            outcome = Outcome(done.returncode, done.stdout)
        except subprocess.TimeoutExpired as late:
            outcome = Outcome(None, (late.stdout or b"").decode(errors="replace"))
        (self.folder / "output.txt").write_text(outcome.output)
        return outcome

    def still_serves(self) -> None:
        """A good call is answered as ever."""
        token = self.target.emulator.token(ADELE)
        self.report.equal("after it, a good call", self.whoami(token), expected.whoami(ADELE))

    def whoami(self, token: str) -> object:
        """The structured content of `whoami` in the older era, which needs no more than this."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}}
        request = urllib.request.Request(self.target.url, data=json.dumps(body).encode())
        for name, value in (
            ("authorization", f"Bearer {token}"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2025-11-25"),
        ):
            request.add_header(name, value)
        context = tls.trusting([str(file) for file in self.target.ca_files])
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read())["result"]["structuredContent"]
