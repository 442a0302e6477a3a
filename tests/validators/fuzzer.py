"""mcp-fuzzer: arguments and messages that are wrong in many ways, from a fixed seed. It is not asked for its opinion: what
counts is what Valet answered."""

from __future__ import annotations

from validator import Bench


def run(bench: Bench) -> None:
    """To be written."""
    bench.still_serves()
