"""fastmcp, behind the same face. Run by run.py."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))

import anyio
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from at_desk import all_cases
from fastmcp_client import VERSION, Session
from report import Report


async def main() -> int:
    report = Report()
    for era in ("auto", "legacy"):

        @contextlib.asynccontextmanager
        async def start(desk: dict[str, Any]) -> AsyncIterator[Session]:
            transport = StdioTransport(desk["command"], desk["args"], env=desk["env"], cwd=desk["cwd"], keep_alive=False)
            async with Client(transport, mode=era) as fast:
                yield Session(fast)

        await all_cases(report, f"local, fastmcp {VERSION}", era, start)
    return report.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.exit(anyio.run(main))
