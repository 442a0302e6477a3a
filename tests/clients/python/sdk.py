"""The official SDK behind one face for its two lines: 2.x (both eras, httpx2) and 1.x (legacy era, httpx)."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
from mcp import StdioServerParameters
from mcp.client.auth import OAuthClientProvider
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

import expected
import servers
import signin
from wire import Wire

VERSION = importlib.metadata.version("mcp")
TWO = VERSION.startswith("2.")

if TWO:
    import httpx2 as httpx
    from mcp import Client, MCPError
    from mcp.shared.auth import AuthorizationCodeResult
else:
    import httpx
    from mcp import ClientSession
    from mcp.shared.exceptions import McpError as MCPError

# Registered at the emulator without a port; Entra ignores the port of loopback redirects, and so this one is used.
REDIRECT_URI = "http://localhost:49152/callback"

# For one block of checks. Nothing here waits for anything but two local servers.
PATIENCE = 60


class Storage:
    """The SDK's `TokenStorage` in memory, with the client that the tenant's administrator registered."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client = OAuthClientInformationFull(
            client_id=expected.CLIENT_ID, redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none"
        )

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError(f"the SDK registered a client of its own: {client_info.client_id}")


class Person:
    """Someone who can sign in: what the SDK shows to the user and what comes back from them."""

    def __init__(self, server_url: str, user: str, context: ssl.SSLContext, by_header: bool = False) -> None:
        self.user = user
        self.storage = Storage()
        self.authorize_urls: list[str] = []
        self.outcome = signin.Outcome({})
        self._context = context
        self._by_header = by_header
        self.provider = OAuthClientProvider(
            server_url=server_url,
            client_metadata=OAuthClientMetadata(
                redirect_uris=[REDIRECT_URI], client_name="Valet's tests", token_endpoint_auth_method="none"
            ),
            storage=self.storage,
            redirect_handler=self._redirect,
            callback_handler=self._callback,
        )

    async def _redirect(self, url: str) -> None:
        self.authorize_urls.append(url)
        self.outcome = await anyio.to_thread.run_sync(
            signin.sign_in, url, self.user, self._context, self._by_header
        )

    async def _callback(self) -> Any:
        answer = self.outcome.answer
        if "code" not in answer:
            raise signin.SignInError(f"{answer.get('error')}: {answer.get('error_description')}")
        if not TWO:
            return answer["code"], answer.get("state")
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    def expire(self) -> None:
        """Makes the SDK believe that its access token is too old."""
        self.provider.context.token_expiry_time = 1.0


class Session:
    """A connected client. Results are plain JSON values, so that both lines can be compared with the same ones."""

    def __init__(self, client: Any, version: str, server: str, capabilities: Any) -> None:
        self._client = client
        self.version = version
        self.server = server
        self.capabilities = plain(capabilities)

    async def tools(self) -> dict[str, Any]:
        return {tool.name: plain(tool) for tool in (await self._client.list_tools()).tools}

    async def call(self, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        return plain(await self._client.call_tool(tool, arguments or {}))

    async def resources(self) -> list[dict[str, Any]]:
        return [plain(resource) for resource in (await self._client.list_resources()).resources]

    async def read(self, uri: str) -> dict[str, Any]:
        return plain(await self._client.read_resource(uri if TWO else AnyUrl(uri)))

    async def prompts(self) -> list[dict[str, Any]]:
        return [plain(prompt) for prompt in (await self._client.list_prompts()).prompts]

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return plain(await self._client.get_prompt(name, arguments))


def plain(value: Any) -> Any:
    """The JSON value of the SDK's objects."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


@contextlib.asynccontextmanager
async def connect(
    url: str, mode: str, context: ssl.SSLContext, wire: Wire, auth: Any = None, headers: dict[str, str] | None = None
) -> AsyncIterator[Session]:
    """A session in `mode`: `legacy`, or with 2.x also `auto` and a version. What goes over the wire is noted in `wire`."""
    hooks: dict[str, list[Callable[..., Awaitable[None]]]] = {"response": [wire.note]}
    # No proxy that the environment may name: everything is on this machine.
    async with httpx.AsyncClient(
        auth=auth, headers=headers, verify=context, trust_env=False, timeout=30, event_hooks=hooks
    ) as http:
        if TWO:
            async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                yield _session(client)
            return
        async with streamable_http_client(url, http_client=http) as (reader, writer, _):
            async with ClientSession(reader, writer) as client:
                hello = await client.initialize()
                yield Session(client, hello.protocolVersion, hello.serverInfo.name, hello.capabilities)


def with_token(program: str, configuration: str, token: str) -> StdioServerParameters:
    """`valet stdio` with `token` in its environment."""
    variables = {"VALET_ACCESS_TOKEN": token, "VALET_CLIENT_SECRET": servers.CLIENT_SECRET}
    return StdioServerParameters(command=program, args=["stdio", "--config", configuration], env=variables)


@contextlib.asynccontextmanager
async def start(server: StdioServerParameters, mode: str) -> AsyncIterator[Session]:
    """A session over stdio, with a server that is a child."""
    with open(os.devnull, "w") as log:
        if TWO:
            async with Client(stdio_client(server, errlog=log), mode=mode) as client:
                yield _session(client)
            return
        async with stdio_client(server, errlog=log) as (reader, writer), ClientSession(reader, writer) as client:
            hello = await client.initialize()
            yield Session(client, hello.protocolVersion, hello.serverInfo.name, hello.capabilities)


def _session(client: Any) -> Session:
    """Of 2.x. A client that asks nothing before its first call does not know whom it talks to."""
    server = client.server_info.name if client.server_info else ""
    return Session(client, client.protocol_version, server, client.server_capabilities)


def problem(error: BaseException) -> tuple[str, int | None, str]:
    """Kind, code and text of the SDK's error, which task groups may have wrapped."""
    inner = error
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    if isinstance(inner, MCPError):
        return "MCPError", inner.error.code, inner.error.message
    if isinstance(inner, httpx.HTTPStatusError):
        return "HTTPStatusError", inner.response.status_code, str(inner)
    return type(inner).__name__, None, str(inner)
