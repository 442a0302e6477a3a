"""The official SDK for Python, either line: sign-in, both tools, refresh, a session that ended. Run by run.py."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import sys
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import anyio
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

import canaries
import context
from report import Report

VERSION = importlib.metadata.version("mcp")
TWO = VERSION.startswith("2.")

if TWO:
    import httpx2 as httpx
    from mcp import Client
    from mcp.shared.auth import AuthorizationCodeResult
else:
    import httpx
    from mcp import ClientSession

# Nobody listens there: what arrives is read from the address.
REDIRECT_URI = "http://localhost:49152/callback"

PATIENCE = 120

# 1.x does not ask for `offline_access`, without which Entra itself gives no refresh token. Valet adds it where it forwards.
REFRESHES = TWO or not context.MODE["name"].startswith("direct")


class Storage:
    """The SDK's `TokenStorage` in memory."""

    def __init__(self, way: str) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None
        if way == context.BEFOREHAND:
            self.client = OAuthClientInformationFull(
                client_id=context.CLIENT_ID, redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none"
            )

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        canaries.keep("access token", tokens.access_token)
        canaries.keep("refresh token", tokens.refresh_token)
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Someone who can sign in."""

    def __init__(self, way: str, press: str = "allow", declines: bool = False) -> None:
        self.storage = Storage(way)
        self.browser = context.browser(press, declines)
        self.asked: list[str] = []
        self.answer = ""
        self.provider = OAuthClientProvider(
            server_url=context.URL,
            client_metadata=OAuthClientMetadata(
                redirect_uris=[REDIRECT_URI], client_name="The tests, by themselves", token_endpoint_auth_method="none"
            ),
            storage=self.storage,
            redirect_handler=self._redirect,
            callback_handler=self._callback,
            client_metadata_url=context.DOCUMENT if way == context.DOCUMENTED else None,
        )

    async def _redirect(self, url: str) -> None:
        self.asked.append(url)
        self.answer = await anyio.to_thread.run_sync(self.browser.go, url)

    async def _callback(self) -> Any:
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.answer).query))
        if "error" in answer:
            raise PermissionError(f"{answer['error']}: {answer.get('error_description')}")
        if not TWO:
            return answer["code"], answer.get("state")
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    def spoil(self) -> None:
        """Makes the server refuse the access token, as it does once that has expired."""
        tokens = self.provider.context.current_tokens
        self.provider.context.current_tokens = tokens.model_copy(update={"access_token": tokens.access_token + "x"})


@contextlib.asynccontextmanager
async def connected(auth: Any, mode: str) -> AsyncIterator[Any]:
    # No proxy that the environment may name: everything is on this machine.
    async with httpx.AsyncClient(auth=auth, verify=context.TLS, trust_env=False, timeout=30) as http:
        if TWO:
            async with Client(streamable_http_client(context.URL, http_client=http), mode=mode) as client:
                yield client
            return
        async with streamable_http_client(context.URL, http_client=http) as (reader, writer, _):
            async with ClientSession(reader, writer) as client:
                await client.initialize()
                yield client


async def use_tools(report: Report, client: Any, client_id: str) -> None:
    who, profile = await client.call_tool("whoami", {}), await client.call_tool("GetUserDetailsFromGraph", {})
    plain = [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in (who, profile)]
    context.answers_well(report, *plain, client_id)


async def signs_in(report: Report, mode: str, way: str) -> None:
    person = Person(way)
    async with connected(person.provider, mode) as client:
        client_id = context.asked_well(report, person.asked[0], person.answer, way)
        report.equal("what Valet asked", person.browser.pages, context.ASKED)
        await use_tools(report, client, client_id)
        before = person.provider.context.current_tokens
        person.provider.context.token_expiry_time = 1.0
        await use_tools(report, client, client_id)
        after = person.provider.context.current_tokens
        report.check("access token refreshed", before.access_token != after.access_token, "the same")
        if REFRESHES:
            report.check("refresh token rotated", before.refresh_token != after.refresh_token, "the same")
        else:
            report.equal("there are no refresh tokens", (before.refresh_token, after.refresh_token), (None, None))
        report.equal("pages for a sign-in", len(person.asked), 1 if REFRESHES else 2)


async def signs_in_again(report: Report, mode: str, way: str) -> None:
    """The session ended at Entra: the SDK finds that out by the refresh, and asks for a sign-in."""
    person = Person(way)
    async with connected(person.provider, mode) as client:
        client_id = context.asked_well(report, person.asked[0], person.answer, way)
        await use_tools(report, client, client_id)
        context.revoke_at_entra()
        # Graph refuses, Valet ends the session and answers 401, the SDK cannot refresh, and asks.
        await client.call_tool("GetUserDetailsFromGraph", {})
        await use_tools(report, client, client_id)
        report.equal("pages for a sign-in", len(person.asked), 2)


async def refused(report: Report, mode: str, person: Person, reason: str) -> None:
    """Nobody gets in, and the client says why."""
    try:
        async with connected(person.provider, mode):
            outcome = "a session"
    except BaseException as error:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        outcome = str(error)
    report.contains("the client is told", outcome, reason)
    report.equal("and gets no tokens", person.storage.tokens, None)
    if context.MODE["resource_refused"]:
        # So that nothing else stands between this client and the tools.
        token = context.EMULATOR.token(context.USER)
        canaries.keep("access token", token)

        def bear(request: httpx.Request) -> httpx.Request:
            request.headers["authorization"] = f"Bearer {token}"
            return request

        async with connected(bear, mode) as client:
            await use_tools(report, client, context.CLIENT_ID)


async def main() -> int:
    report = Report()

    async def block(name: str, run: Any, *arguments: Any) -> None:
        report.section(f"{context.MODE['name']}, mcp {VERSION}, {name}")
        try:
            with anyio.fail_after(PATIENCE):
                await run(report, *arguments)
        except Exception as error:
            report.check("no exception", False, repr(error))

    for mode in ("auto", "legacy") if TWO else ("legacy",):
        if context.MODE["resource_refused"]:
            person = Person(context.BEFOREHAND)
            await block(f"{mode}, it sends `resource`", refused, mode, person, "AADSTS9010010")
            continue
        for way in context.WAYS:
            if way not in context.MODE["ids"]:
                # Entra has no endpoint for it, so it asks at the place where an older revision of MCP had it.
                await block(f"{mode}, a client {way} is refused", refused, mode, Person(way), "Registration failed: 404")
                continue
            await block(f"{mode}, a client {way}", signs_in, mode, way)
            await block(f"{mode}, a client {way}, ended at Entra", signs_in_again, mode, way)
        if context.MODE["asks"]:
            await block(f"{mode}, declined", refused, mode, Person(context.BEFOREHAND, press="deny"), "access_denied")
        await block(f"{mode}, declined at Entra", refused, mode, Person(context.BEFOREHAND, declines=True), "access_denied")
        await block(f"{mode}, after that", signs_in, mode, context.BEFOREHAND)
    return report.end()


if __name__ == "__main__":
    # What the SDK logs of expected refusals would only confuse; what matters is raised.
    logging.disable(logging.CRITICAL)
    sys.exit(anyio.run(main))
