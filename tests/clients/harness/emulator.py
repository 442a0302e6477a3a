"""The emulator's own interface: tokens without a flow, and faults. Standard library only, for jobs without packages."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import expected
import tls

API = "7e57c000-0000-4000-8000-000000000001"
DAEMON = "7e57c000-0000-4000-8000-000000000004"
LEDGER = "api://ledger.contoso.example"


@dataclass(frozen=True)
class Emulator:
    """A running one."""

    authority: str
    ca_files: list[Path]

    def token(self, user: str, scopes: list[str] | None = None, api: str = API) -> str:
        """An access token of the demo client for `user`; with the scope of all tools if none are given."""
        scopes = [expected.SCOPE] if scopes is None else scopes
        return self._minted({"user": user, "client": expected.CLIENT_ID, "api": api, "scopes": scopes})

    def application_token(self, roles: list[str]) -> str:
        """An access token of the daemon, without a user."""
        return self._minted({"app": DAEMON, "api": API, "roles": roles})

    def _minted(self, wanted: dict[str, Any]) -> str:
        return self.ask("POST", "tokens", wanted)["access_token"]

    def delay_graph(self, seconds: int) -> None:
        """Every request to Graph takes so long from now on."""
        self.ask("POST", "faults", {"endpoint": "graph", "kind": "delay", "seconds": seconds})

    def delayed(self) -> int:
        """How many requests the delay has caught."""
        return sum(fault["hits"] for fault in self.ask("GET", "faults")["faults"])

    def undisturbed(self) -> None:
        """Ends all faults."""
        self.ask("DELETE", "faults")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.authority}/emulator/{path}", data=data, method=method)
        request.add_header("content-type", "application/json")
        context = tls.trusting([str(file) for file in self.ca_files])
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None
