"""Everything that the SDK's HTTP client sent and got, noted as it happened."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """A request and the head of its answer."""

    method: str
    url: str
    sent: dict[str, str]
    body: str
    status: int
    got: dict[str, str]

    @property
    def message(self) -> str:
        """The JSON-RPC method."""
        return json.loads(self.body).get("method", "")

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(urllib.parse.parse_qsl(self.body))


class Wire:
    """The exchanges of one client."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    async def note(self, response: Any) -> None:
        """An httpx event hook. Copies, because the SDK changes and sends again the request that was refused."""
        request = response.request
        self.exchanges.append(
            Exchange(
                request.method,
                str(request.url),
                {name.lower(): value for name, value in request.headers.items()},
                request.content.decode(),
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
            )
        )

    def to(self, url: str) -> list[Exchange]:
        """The exchanges with exactly this URL."""
        return [exchange for exchange in self.exchanges if exchange.url == url]

    def trace(self) -> list[str]:
        """Method, path and status of each, for reading."""
        return [f"{e.method} {urllib.parse.urlsplit(e.url).path} {e.status}" for e in self.exchanges]
