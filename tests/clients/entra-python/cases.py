"""The list of cases, and what they say of outcomes. A case is a function that gets a Bench and raises if something is wrong."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench import Bench

Run = Callable[["Bench"], "None | Awaitable[None]"]


@dataclass(frozen=True)
class Case:
    """One line of the report."""

    name: str
    run: Run


CASES: list[Case] = []


class Wrong(Exception):
    """Something was not as it should be."""


def of(library: str) -> Callable[[str], Callable[[Run], Run]]:
    """Makes the decorator for the cases of one library."""
    prefix = f"{library} {version(library)}"

    def named(name: str) -> Callable[[Run], Run]:
        def add(run: Run) -> Run:
            CASES.append(Case(f"{prefix}: {name}", run))
            return run

        return add

    return named


def holds(what: str, condition: object, detail: object = "") -> None:
    """A condition."""
    if not condition:
        raise Wrong(f"{what}: {detail}" if detail != "" else what)


def equal(what: str, got: object, wanted: object) -> None:
    """Both are the same."""
    holds(what, got == wanted, f"{got!r} instead of {wanted!r}")


def contains(what: str, got: object, wanted: str) -> None:
    """`wanted` is somewhere in `got`."""
    holds(what, wanted in str(got), f"{str(got)!r} does not contain {wanted!r}")


def token(result: dict[str, Any] | None) -> dict[str, Any]:
    """A result of MSAL that has a token; anything else is wrong."""
    if not result or "access_token" not in result:
        raise Wrong(f"no token: {(result or {}).get('error_description') or result}")
    equal("type of token", result["token_type"], "Bearer")
    return result


def refused(result: dict[str, Any] | None, number: int, error: str, suberror: str | None = None) -> dict[str, Any]:
    """A result of MSAL that is exactly this refusal, with everything that Entra's errors carry."""
    result = result or {}
    got = (result.get("error"), result.get("error_codes"), result.get("suberror"))
    equal("refusal", got, (error, [number], suberror))
    described(result["error_description"], number)
    for name in ("trace_id", "correlation_id", "timestamp"):
        holds(f"the refusal has {name}", result.get(name), result)
    return result


def described(text: str, number: int) -> None:
    """A description in Entra's form."""
    form = rf"AADSTS{number}: .+ Trace ID: [0-9a-f-]{{36}} Correlation ID: [0-9a-f-]{{36}} Timestamp: \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ"
    holds("description", re.fullmatch(form, text, re.DOTALL), f"{text!r} is not AADSTS{number} in Entra's form")


def claims(jwt: str) -> dict[str, Any]:
    """The claims of a token for an API of ours. Never to be used on tokens for Graph, which are opaque."""
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def raises(kind: type[BaseException], act: Callable[[], object], *words: str) -> BaseException:
    """`act` ends with exactly this kind of exception, whose text has these words."""
    try:
        got = act()
    except kind as error:
        if type(error) is not kind:
            raise Wrong(f"{type(error).__name__} instead of {kind.__name__}: {error}") from error
        for word in words:
            contains(kind.__name__, error, word)
        return error
    raise Wrong(f"no {kind.__name__}, but {got!r}")


async def raises_later(kind: type[BaseException], act: Awaitable[object], *words: str) -> BaseException:
    """The same for something awaited."""
    try:
        got: object = await act
    except kind as error:
        caught = error
    else:
        raise Wrong(f"no {kind.__name__}, but {got!r}")

    def again() -> None:
        raise caught

    return raises(kind, again, *words)
