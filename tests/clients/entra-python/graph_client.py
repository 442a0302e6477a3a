"""Clients of msgraph-sdk as the cases use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from azure.core.credentials import TokenCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_core.authentication import AzureIdentityAuthenticationProvider

import world as w
from bench import Bench
from browser import Person
from cases import Wrong, equal
from identity_users import browser_credential

READ = ["User.Read", "Mail.Read", "Calendars.Read", "Files.Read", "GroupMember.Read.All"]


def client_of(
    bench: Bench, credential: TokenCredential, scopes: list[str], http: httpx.AsyncClient | None = None
) -> GraphServiceClient:
    """The stock client; only its address, and the hosts that may see a token, are not Microsoft's."""
    scopes = [w.GRAPH_SCOPE + scope for scope in scopes]
    host = bench.world.graph.removeprefix("https://").split(":")[0]
    provider = AzureIdentityAuthenticationProvider(credential, scopes=scopes, allowed_hosts=[host])
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{bench.world.graph}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def signed_in(bench: Bench, user: str, scopes: list[str]) -> GraphServiceClient:
    """A client whose user has signed in at the desktop already."""
    credential = browser_credential(bench, disable_automatic_authentication=True)
    with bench.at_desktop(Person(user)):
        credential.authenticate(scopes=[w.GRAPH_SCOPE + scope for scope in scopes], enable_cae=True)
    return client_of(bench, credential, scopes)


def query(builder: Any, **parameters: Any) -> RequestConfiguration:
    """Query parameters of a request, e.g. `top=2`; `builder` is the request builder's class."""
    name = next(name for name in vars(builder) if name.endswith("GetQueryParameters"))
    return RequestConfiguration(query_parameters=getattr(builder, name)(**parameters))


async def refused(act: Any, status: int, *codes: str) -> ODataError:
    """`act` is refused by Graph with this status and one of these codes, in Graph's form."""
    try:
        got = await act
    except ODataError as error:
        equal("status", error.response_status_code, status)
        main = error.error
        if main is None or main.code not in codes or not main.message:
            raise Wrong(f"code {main and main.code!r} instead of one of {codes}: {main and main.message}") from error
        inner = main.inner_error
        if inner is None or not inner.request_id or not inner.client_request_id or not inner.date:
            raise Wrong("the error has no innerError with its ids and date") from error
        return error
    raise Wrong(f"not refused, but {got!r}")


def collector(into: list[Any], limit: int | None = None) -> Callable[[Any], bool]:
    """A callback for PageIterator."""

    def take(item: Any) -> bool:
        into.append(item)
        return limit is None or len(into) < limit

    return take
