"""The official SDK for Python, either line, behind the face that ../python has for both. Run by run.py."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))

import anyio
from mcp import StdioServerParameters

import sdk
from at_desk import all_cases
from report import Report


async def main() -> int:
    report = Report()
    for era in ("auto", "legacy") if sdk.TWO else ("legacy",):

        @contextlib.asynccontextmanager
        async def start(desk: dict[str, Any]) -> AsyncIterator[sdk.Session]:
            server = StdioServerParameters(command=desk["command"], args=desk["args"], env=desk["env"], cwd=desk["cwd"])
            async with sdk.start(server, era) as session:
                yield session

        await all_cases(report, f"local, mcp {sdk.VERSION}", era, start)
    return report.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(anyio.run(main))
