"""The checks: Valet as seen by the official Python SDK. Run by run.py inside the SDK's virtual environment."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio

import expected
import sdk
from emulator import Emulator
from report import Report
from tls import trusting
from wire import Exchange, Wire

MODERN, LEGACY = "2026-07-28", "2025-11-25"
TOOLS = ["GetUserDetailsFromGraph", "whoami"]
# What `Suite.context` sends.
CONTEXT = ["resources/list", "prompts/list", "resources/read", "prompts/get"]
# Longer than Valet waits for Graph.
DELAY = 60
OTHER_USER = {"adele@contoso.example": "alex@contoso.example", "alex@contoso.example": "adele@contoso.example"}


class Suite:
    """What all checks need."""

    def __init__(self, arguments: argparse.Namespace, report: Report) -> None:
        self.url: str = arguments.server_url
        self.user: str = arguments.user
        self.scope: str | None = arguments.scope
        self.tls = trusting(arguments.ca)
        self.report = report
        # Program and configuration of `valet stdio`, if run.py started the server.
        self.command: list[str] | None = arguments.stdio
        # Known if run.py started it.
        self.emulator = Emulator(arguments.emulator_url, arguments.ca) if arguments.emulator_url else None

    @property
    def metadata_url(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path}"

    def person(self, user: str, by_header: bool = False) -> sdk.Person:
        return sdk.Person(self.url, user, self.tls, by_header)

    async def without_token(self, mode: str) -> None:
        """No sign-in configured: the SDK must come back with an error, after one refusal with a challenge."""
        kind, code, _ = await self._refused(mode, wire := Wire(), None)
        # 2.x turns a refusal without JSON-RPC into an internal error; 1.x raises the HTTP error.
        self.report.equal("the SDK raises an error", (kind, code), ("MCPError", -32603) if sdk.TWO else ("HTTPStatusError", 401))
        self.report.equal("the server answered 401", {e.status for e in wire.exchanges}, {401})
        challenge = wire.exchanges[0].got.get("www-authenticate", "")
        self.report.contains("the challenge names the metadata", challenge, f'resource_metadata="{self.metadata_url}"')
        self.report.contains("the challenge names the scope", challenge, f'{expected.SCOPE}"')
        self.report.check("the challenge has no error, as nothing was tried", "error=" not in challenge, challenge)

    async def with_a_bad_token(self, mode: str) -> None:
        """A bearer that is no token."""
        await self._refused(mode, wire := Wire(), {"authorization": "Bearer not.a.token"})
        self.report.equal("the server answered 401", {e.status for e in wire.exchanges}, {401})
        challenge = wire.exchanges[0].got.get("www-authenticate", "")
        self.report.contains("the challenge says invalid_token", challenge, 'error="invalid_token"')

    async def _refused(self, mode: str, wire: Wire, headers: dict[str, str] | None) -> tuple[str, int | None, str]:
        try:
            async with sdk.connect(self.url, mode, self.tls, wire, headers=headers) as session:
                await session.tools()
        except Exception as error:
            return sdk.problem(error)
        return "no error", None, ""

    async def session(self, mode: str, revision: str, by_header: bool) -> None:
        """Sign-in from nothing, then everything that a client does."""
        person, wire = self.person(self.user, by_header), Wire()
        async with sdk.connect(self.url, mode, self.tls, wire, person.provider) as session:
            self.report.equal("revision", session.version, revision)
            self.report.equal("server name", session.server, "valet")
            self.report.equal("capabilities", session.capabilities, capabilities(revision))
            await self.tools(session)
            await self.calls(session, self.user)
            await self.errors(session)
            await self.context(session, self.user)
            requests = wire.to(self.url)
            if sdk.TWO:
                await self._refresh(session, person, wire)
        self._signed_in(person, wire, by_header)
        self._spoken(requests, revision, mode)

    async def tools(self, session: sdk.Session) -> None:
        tools = await session.tools()
        self.report.equal("tools, in a fixed order", list(tools), TOOLS)
        for name, tool in tools.items():
            self.report.equal(f"{name} takes no arguments", tool["inputSchema"].get("additionalProperties"), False)
            self.report.equal(f"{name} is marked read-only", tool["annotations"]["readOnlyHint"], True)
            # The SDK also validates every result below against it.
            self.report.check(f"{name} has an output schema", "properties" in tool.get("outputSchema", {}), str(tool))
            self._drawn(name, tool)

    async def calls(self, session: sdk.Session, user: str) -> None:
        about, profile = await session.call("whoami"), await session.call("GetUserDetailsFromGraph")
        self.report.equal("whoami, structured", about.get("structuredContent"), expected.whoami(user))
        self.report.equal("whoami, text", json.loads(_text(about)), expected.whoami(user))
        self.report.equal("profile, structured", profile.get("structuredContent"), expected.PROFILES[user])
        self.report.equal("profile, text", _text(profile), expected.PROFILE_TEXTS[user])
        self.report.equal("neither is an error", (about["isError"], profile["isError"]), (False, False))

    async def errors(self, session: sdk.Session) -> None:
        try:
            outcome: Any = await session.call("nothing_of_that_name")
        except Exception as error:
            outcome = sdk.problem(error)
        wanted = ("MCPError", -32602, "Unknown tool: nothing_of_that_name")
        self.report.equal("an unknown tool is a protocol error", outcome, wanted)
        for tool in TOOLS:
            result = await session.call(tool, {"user": "somebody else"})
            self.report.equal(f"{tool} with an argument is an error result", result["isError"], True)
            why = "The arguments do not fit the tool's input schema: `/user`: is not known here"
            self.report.equal(f"{tool} says what does not fit", _text(result), why)

    async def context(self, session: sdk.Session, user: str) -> None:
        """What is not a tool: the profile as a resource, and in a prompt."""
        (resource,), (prompt,) = await session.resources(), await session.prompts()
        self.report.equal("the resource", (resource["name"], resource["uri"]), ("profile", expected.RESOURCE_URI))
        self._drawn("profile", resource)
        (contents,) = (await session.read(expected.RESOURCE_URI))["contents"]
        self.report.equal("read, its kind", (contents["uri"], contents["mimeType"]), (expected.RESOURCE_URI, "application/json"))
        self.report.equal("read, the profile", json.loads(contents["text"]), expected.PROFILES[user])
        arguments = [(argument["name"], argument["required"]) for argument in prompt["arguments"]]
        self.report.equal("the prompt", (prompt["name"], arguments), (expected.PROMPT, [("audience", True), ("language", False)]))
        self._drawn(expected.PROMPT, prompt)
        asks, attached = (await session.prompt(expected.PROMPT, expected.PROMPT_ARGUMENTS))["messages"]
        self.report.equal("both messages are the user's", (asks["role"], attached["role"]), ("user", "user"))
        begins = asks["content"]["text"][: len(expected.introduction(user))]
        self.report.equal("the prompt asks for an introduction", begins, expected.introduction(user))
        self.report.equal("the prompt brings the profile", attached["content"]["resource"], contents)

    def _drawn(self, name: str, definition: dict[str, Any]) -> None:
        """An icon that needs no request to anybody."""
        (icon,) = definition["icons"]
        self.report.equal(f"{name} has an icon of its own", icon["src"].split(",")[0], "data:image/svg+xml;base64")

    async def _refresh(self, session: sdk.Session, person: sdk.Person, wire: Wire) -> None:
        before = person.provider.context.current_tokens
        person.expire()
        result = await session.call("whoami")
        after = person.provider.context.current_tokens
        self.report.equal("after a refresh, whoami", result.get("structuredContent"), expected.whoami(self.user))
        self.report.check("the refresh brought another token", before.access_token != after.access_token, "the same")
        grants = [e.form.get("grant_type") for e in wire.exchanges if e.url.endswith("/token")]
        self.report.equal("grants used", grants, ["authorization_code", "refresh_token"])

    def _signed_in(self, person: sdk.Person, wire: Wire, by_header: bool) -> None:
        """What the SDK did on its own between the refusal and the first answer."""
        start = wire.exchanges
        flow = start[: next((i for i, e in enumerate(start) if e.url.endswith("/token")), len(start)) + 1]
        issuer = _authority(flow[-1].url)
        self.report.equal("first a refusal without a token", (flow[0].status, "authorization" in flow[0].sent), (401, False))
        self.report.equal("then the metadata that the challenge names", (flow[1].url, flow[1].status), (self.metadata_url, 200))
        self.report.equal(
            "then the authorization server's, which Entra has as OpenID configuration only",
            (flow[-2].url, flow[-2].status),
            (f"{issuer}/v2.0/.well-known/openid-configuration", 200),
        )
        self.report.check("no client was registered", not any("regist" in e.url for e in start), str(wire.trace()))
        origin = self.metadata_url.split("/.well-known")[0]
        used = {(e.method, e.url) for e in start if e.url.startswith(f"{origin}/")}
        self.report.equal("the server was asked for nothing else", used, {("POST", self.url), ("GET", self.metadata_url)})
        asked = dict(parse_qsl(urlsplit(person.authorize_urls[0]).query))
        pages = [] if by_header else ["account", "consent"]
        if asked.get("prompt") != "consent" and person.outcome.pages == ["account"]:
            # 1.x does not ask for consent anew, and an emulator that was used before remembers it.
            pages = ["account"]
        self.report.equal("pages that a person saw", (len(person.authorize_urls), person.outcome.pages), (1, pages))
        self._asked(asked, flow[-1])

    def _asked(self, asked: dict[str, str], redeemed: Exchange) -> None:
        scope = asked.get("scope", "").split()[0]
        if self.scope is None:
            self.report.check("the scope is written with its application", scope.endswith(f"/{expected.SCOPE}"), scope)
        else:
            self.report.equal("the scope asked for", scope, self.scope)
        self.report.equal("resource at /authorize and /token", (asked.get("resource"), redeemed.form.get("resource")), (self.url, self.url))
        self.report.equal("PKCE", asked.get("code_challenge_method"), "S256")
        self.report.equal("the code was redeemed", redeemed.status, 200)
        self.report.equal(
            "by a public client",
            sorted(redeemed.form),
            ["client_id", "code", "code_verifier", "grant_type", "redirect_uri", "resource"],
        )

    def _spoken(self, requests: list[Exchange], revision: str, mode: str) -> None:
        """Nothing but the requests that were meant, each with a token, and no session."""
        refused, served = requests[0], requests[1:]
        self.report.equal("every request was a POST", {e.method for e in requests}, {"POST"})
        self.report.equal("only the first was refused", (refused.status, 401 in {e.status for e in served}), (401, False))
        self.report.check("the others had a token", all("authorization" in e.sent for e in served), "")
        hello = ["server/discover"] if mode == "auto" else ["initialize", "notifications/initialized"] if mode == "legacy" else []
        self.report.equal("methods", [e.message for e in served], [*hello, "tools/list", *["tools/call"] * 5, *CONTEXT])
        wanted = {"notifications/initialized": 202}
        self.report.equal("statuses", [e.status for e in served], [wanted.get(e.message, 200) for e in served])
        kinds = {e.got.get("content-type") for e in served if e.status == 200}
        self.report.equal("answers are JSON, never a stream", kinds, {"application/json"})
        versions = {e.sent.get("mcp-protocol-version") for e in served if e.message != "initialize"}
        self.report.equal("revision in every request", versions, {revision})
        ids = [e.url for e in requests if "mcp-session-id" in e.sent or "mcp-session-id" in e.got]
        self.report.equal("no session id from either side", ids, [])

    async def pinned(self) -> None:
        """The modern era without asking the server first: the first request is the call."""
        person, wire = self.person(self.user, by_header=True), Wire()
        async with sdk.connect(self.url, MODERN, self.tls, wire, person.provider) as session:
            result = await session.call("whoami")
        self.report.equal("whoami, structured", result.get("structuredContent"), expected.whoami(self.user))
        messages = [e.message for e in wire.to(self.url)]
        self.report.equal("methods", messages, ["tools/call", "tools/call", "tools/list"])

    async def leaving(self, mode: str, times: int) -> None:
        """Leaves in the middle of a call. The server has fewer places than `times` (run.py): the last call is served only
        if leaving gave the place back."""
        person = self.person(self.user, by_header=True)
        async with sdk.connect(self.url, mode, self.tls, Wire(), person.provider) as session:
            await session.call("whoami")
            await self.leave(session, times)
            await self.calls(session, self.user)

    async def leave(self, session: Any, times: int) -> None:
        """Begins calls that Graph does not answer in time, and leaves each once it is there."""
        self.emulator.delay_graph(DELAY)
        try:
            for left in range(times):
                async with anyio.create_task_group() as calls:
                    calls.start_soon(session.call, "GetUserDetailsFromGraph")
                    while self.emulator.delayed() <= left:
                        await anyio.sleep(0.02)
                    calls.cancel_scope.cancel()
        finally:
            self.emulator.undisturbed()

    async def stdio(self, mode: str, revision: str) -> None:
        """The same over stdio, where a notification cancels and the server knows the call. 1.x leaves without a word."""
        token = self.emulator.token(self.user)
        async with sdk.start(sdk.with_token(*self.command, token), mode) as session:
            self.report.equal("revision", session.version, revision)
            self.report.equal("server name", session.server, "valet")
            self.report.equal("capabilities", session.capabilities, capabilities(revision))
            await self.tools(session)
            await self.calls(session, self.user)
            await self.errors(session)
            await self.context(session, self.user)
            await self.leave(session, 6 if sdk.TWO else 1)
            await self.calls(session, self.user)

    async def two_people(self, mode: str) -> None:
        """Two users in turn: nobody gets what is kept for the other."""
        first, second = self.person(self.user, by_header=True), self.person(OTHER_USER[self.user], by_header=True)
        async with (
            sdk.connect(self.url, mode, self.tls, Wire(), first.provider) as one,
            sdk.connect(self.url, mode, self.tls, Wire(), second.provider) as two,
        ):
            for session, person in ((one, first), (two, second), (one, first)):
                await self.calls(session, person.user)
                await self.context(session, person.user)


def capabilities(revision: str) -> dict[str, Any]:
    """What the server says it can do. Logging is set by a request in the older revision, and by `_meta` in the newer one."""
    common: dict[str, Any] = {"tools": {}, "resources": {}, "prompts": {}, "completions": {}}
    return common if revision == MODERN else {**common, "logging": {}}


def _text(result: dict[str, Any]) -> str:
    """The text of a result that has nothing else."""
    (part,) = result["content"]
    return part["text"]


def _authority(token_url: str) -> str:
    return token_url.removesuffix("/oauth2/v2.0/token")


def blocks(label: str, report: Report) -> Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]]:
    """Runs a block of checks under its name; what is raised there fails it, and not those that follow."""

    async def block(name: str, run: Callable[[], Awaitable[None]]) -> None:
        report.section(f"{label}, {name}")
        try:
            with anyio.fail_after(sdk.PATIENCE):
                await run()
        except Exception as error:
            kind, code, text = sdk.problem(error)
            report.check("no exception", False, f"{kind} {code or ''} {text}")

    return block


async def main(arguments: argparse.Namespace) -> int:
    report = Report()
    suite = Suite(arguments, report)
    block = blocks(f"mcp {sdk.VERSION}", report)
    if sdk.TWO:
        await block("modern, no token", lambda: suite.without_token(MODERN))
        await block("modern", lambda: suite.session("auto", MODERN, by_header=False))
        await block("modern, no discovery", suite.pinned)
        await block("modern, two people", lambda: suite.two_people("auto"))
        await block("modern, bad token", lambda: suite.with_a_bad_token(MODERN))
        if suite.emulator:
            await block("modern, leaving mid-call", lambda: suite.leaving("auto", 6))
    await block("legacy, no token", lambda: suite.without_token("legacy"))
    await block("legacy", lambda: suite.session("legacy", LEGACY, by_header=sdk.TWO))
    await block("legacy, bad token", lambda: suite.with_a_bad_token("legacy"))
    if suite.emulator:
        # A notification cancels here, which says nothing to a server without sessions.
        await block("legacy, leaving mid-call", lambda: suite.leaving("legacy", 1))
    if suite.command:
        if sdk.TWO:
            await block("stdio, modern", lambda: suite.stdio("auto", MODERN))
        await block("stdio, legacy", lambda: suite.stdio("legacy", LEGACY))
    return report.end()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-url", required=True)
    parser.add_argument("--ca", action="append", required=True)
    parser.add_argument("--user", required=True, choices=sorted(OTHER_USER))
    parser.add_argument("--scope")
    parser.add_argument("--emulator-url")
    parser.add_argument("--stdio", nargs=2, metavar=("VALET", "CONFIGURATION"))
    parser.add_argument("--trusted", help="all of --ca in one file, for programs that are told by SSL_CERT_FILE")
    return parser.parse_args()


if __name__ == "__main__":
    # What the SDK logs of expected refusals would only confuse; what matters is raised.
    logging.disable(logging.CRITICAL)
    sys.exit(anyio.run(main, arguments()))
