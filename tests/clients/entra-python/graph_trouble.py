"""msgraph-sdk when things go wrong: missing scopes, bad tokens, throttling, outages, claims challenges."""

from __future__ import annotations

import time

from azure.core.credentials import AccessToken

import world as w
from bench import Bench
from browser import Person
from cases import equal, holds, of
from graph_client import client_of, refused, signed_in
from identity_users import browser_credential
from msal_apps import token_for_orders

case = of("msgraph-sdk")


@case("without the scope it is 403")
async def no_scope(bench: Bench) -> None:
    bench.admin.forget_consents()
    client = signed_in(bench, w.NESTOR, ["User.Read"])
    denied = ("Authorization_RequestDenied", "ErrorAccessDenied", "accessDenied")
    await refused(client.me.messages.get(), 403, *denied)
    await refused(client.me.events.get(), 403, *denied)
    await refused(client.me.drive.get(), 403, *denied)
    await refused(client.users.by_user_id(w.ALEX_ID).get(), 403, *denied)
    found = await client.me.get()
    equal("me", found and found.id, w.NESTOR_ID)


class Given:
    """A credential that hands out one token, whatever it is."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self.token, int(time.time()) + 3600)


@case("a token for another API, and no token, is 401")
async def wrong_token(bench: Bench) -> None:
    for token in (token_for_orders(bench, w.ADELE), "nonsense", "a.b.c"):
        client = client_of(bench, Given(token), ["User.Read"])  # type: ignore[arg-type]
        await refused(client.me.get(), 401, "InvalidAuthenticationToken")


@case("429 with Retry-After is waited for")
async def throttled(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.Read"])
    bench.admin.fail("graph", 429, times=2, retry_after=1)
    begin = time.monotonic()
    found = await client.me.get()
    equal("me", found and found.id, w.ADELE_ID)
    holds("both waits were kept", time.monotonic() - begin >= 2)


@case("503 and 504 are retried")
async def unavailable(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.Read"])
    for status in (503, 504):
        bench.admin.fail("graph", status, times=1, retry_after=1)
        found = await client.me.get()
        equal(f"me after {status}", found and found.id, w.ADELE_ID)


@case("429 for ever is an error after three retries")
async def throttled_for_ever(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.Read"])
    # Four requests in all; the fifth would succeed.
    bench.admin.fail("graph", 429, times=4, retry_after=1)
    await refused(client.me.get(), 429, "TooManyRequests")
    found = await client.me.get()
    equal("me afterwards", found and found.id, w.ADELE_ID)


@case("500 is not retried")
async def broken(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.Read"])
    bench.admin.fail("graph", 500, times=1)
    error = await refused(client.me.get(), 500, "UnknownError", "InternalServerError", "generalException")
    found = await client.me.get()
    equal(f"me after {error.response_status_code}", found and found.id, w.ADELE_ID)


@case("a claims challenge leads to the browser and on")
async def claims_challenge(bench: Bench) -> None:
    credential = browser_credential(bench)
    client = client_of(bench, credential, ["User.Read"])
    with bench.at_desktop(Person(w.MO)) as opened:
        found = await client.me.get()
        equal("me", found and found.id, w.MO_ID)
        equal("pages opened", len(opened), 1)
        bench.admin.revoke(w.MO)
        found = await client.me.get()
        equal("me after the challenge", found and found.id, w.MO_ID)
        equal("pages opened after the challenge", len(opened), 2)
        holds("with the claims", "nbf" in opened[1], opened[1])
