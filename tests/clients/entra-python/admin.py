"""The emulator's own JSON API: what a test does to the service, beside using it."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Admin:
    """The controls under `/emulator/`."""

    def __init__(self, authority: str, ca_file: Path) -> None:
        self._root = f"{authority}/emulator"
        context = ssl.create_default_context(cafile=str(ca_file))
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def fail(self, endpoint: str, status: int, times: int, retry_after: int | None = None) -> None:
        """`endpoint` (login, graph, vault ...) answers `status` to the next requests."""
        fault = {"endpoint": endpoint, "status": status, "times": times}
        if retry_after is not None:
            fault["retry_after"] = retry_after
        self._send("POST", "faults", fault)

    def heal(self) -> None:
        """Everything works again."""
        self._send("DELETE", "faults")

    def advance(self, seconds: int) -> None:
        """Puts the emulator's clock forward."""
        self._send("POST", "clock", {"advance_seconds": seconds})

    def revoke(self, user: str) -> None:
        """Ends what a user was granted until now."""
        self._send("POST", f"users/{user}/revoke", {"reason": "sessions"})

    def register(self, toml: str) -> None:
        """Replaces the registrations, as an administrator would change them in the portal."""
        self._send("POST", "registrations", {"toml": toml})

    def forget_consents(self) -> None:
        """Nobody has consented to anything."""
        self._send("DELETE", "consents")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._root}/{path}", data=data, method=method)
        request.add_header("content-type", "application/json")
        try:
            with self._opener.open(request, timeout=10) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                detail = error.read().decode(errors="replace")[:300]
            raise RuntimeError(f"{method} /emulator/{path}: {error.code} {detail}") from None
