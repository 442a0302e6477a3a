"""MSAL on behalf of a user: what a middle tier gets, what it is refused, and the step-up that it passes on."""

from __future__ import annotations

import json
import time

import jwt
import requests

import world as w
from bench import Bench
from browser import Person
from cases import claims, contains, equal, holds, of, refused, token
from msal_apps import account, by_hand, confidential, public, start, token_for_orders

case = of("msal")


@case("on behalf of a user, to Graph")
def to_graph(bench: Bench) -> None:
    app = confidential(bench, w.ORDERS)
    result = token(app.acquire_token_on_behalf_of(token_for_orders(bench, w.ADELE), ["User.Read"]))
    headers = {"authorization": f"Bearer {result['access_token']}"}
    me = requests.get(f"{bench.world.graph}/v1.0/me", headers=headers, timeout=30)
    equal("who", (me.status_code, me.json().get("id")), (200, w.ADELE_ID))
    holds("a refresh token, since MSAL asks for one", "refresh_token" in result)
    refreshed = token(app.acquire_token_silent(["User.Read"], account(app, w.ADELE), force_refresh=True))
    equal("source", refreshed["token_source"], "identity_provider")


@case("on behalf of a user, with a certificate")
def with_certificate(bench: Bench) -> None:
    credential = {"private_key": bench.world.pem("daemon.key"), "public_certificate": bench.world.pem("daemon.cert")}
    app = confidential(bench, w.ORDERS, credential)
    token(app.acquire_token_on_behalf_of(token_for_orders(bench, w.ADELE), ["https://graph.microsoft.com/.default"]))


@case("on behalf of a user: a token for somebody else is refused")
def other_audience(bench: Bench) -> None:
    for_orders = token_for_orders(bench, w.ADELE)
    refused(confidential(bench, w.BILLING).acquire_token_on_behalf_of(for_orders, ["User.Read"]), 500131, "invalid_grant")


@case("on behalf of a user: a token for Graph is refused")
def graph_token(bench: Bench) -> None:
    for_graph = token(by_hand(bench, public(bench), ["User.Read"], w.ADELE))["access_token"]
    result = confidential(bench, w.ORDERS).acquire_token_on_behalf_of(for_graph, ["User.Read"])
    equal("error", result.get("error"), "invalid_grant")


@case("on behalf of a user: an application's token is refused")
def app_only(bench: Bench) -> None:
    mine = token(confidential(bench, w.DAEMON).acquire_token_for_client([w.ORDERS_DEFAULT]))["access_token"]
    refused(confidential(bench, w.ORDERS).acquire_token_on_behalf_of(mine, ["User.Read"]), 7000114, "invalid_grant")


@case("on behalf of a user: an id token, a forged and a broken token are refused")
def bad_assertions(bench: Bench) -> None:
    good = token_for_orders(bench, w.ADELE)
    forged = jwt.encode(
        {**claims(good)}, bench.world.pem("stranger.key"), algorithm="RS256", headers=jwt.get_unverified_header(good)
    )
    id_token = token(by_hand(bench, public(bench), [w.ORDERS_READ], w.ADELE))["id_token"]
    for assertion, numbers in ((forged, [50013]), ("nonsense", [50013, 50027]), (id_token, [50013, 500131])):
        result = confidential(bench, w.ORDERS).acquire_token_on_behalf_of(assertion, ["User.Read"])
        equal("error", result.get("error"), "invalid_grant")
        holds("number", result["error_codes"][0] in numbers, result["error_codes"])


@case("on behalf of a user: without consent it is refused")
def no_consent(bench: Bench) -> None:
    for_billing = token(by_hand(bench, public(bench), [w.BILLING_READ], w.ADELE))["access_token"]
    result = confidential(bench, w.BILLING).acquire_token_on_behalf_of(for_billing, ["User.Read"])
    refused(result, 65001, "invalid_grant", "consent_required")


@case("on behalf of a user: Conditional Access, step-up with the claims, success")
def step_up(bench: Bench) -> None:
    app = confidential(bench, w.ORDERS)
    weak = token_for_orders(bench, w.RITA)
    refusal = refused(app.acquire_token_on_behalf_of(weak, [w.PAYROLL_READ]), 50076, "interaction_required", "basic_action")
    challenge = refusal["claims"]
    holds("the claims are JSON for access tokens", "access_token" in json.loads(challenge), challenge)
    # The middle tier passes the claims on, and its client signs the user in with them.
    client = public(bench)
    flow = start(client, [w.ORDERS_READ], claims_challenge=challenge)
    answer = bench.browser().visit(flow["auth_uri"], Person(w.RITA, by_pages=True))
    contains("the pages", answer.pages, "Approve sign-in")
    strong = token(client.acquire_token_by_auth_code_flow(flow, answer.fields))["access_token"]
    result = token(app.acquire_token_on_behalf_of(strong, [w.PAYROLL_READ]))
    equal(
        "API and user", (claims(result["access_token"])["aud"], claims(result["access_token"])["oid"]), (w.PAYROLL, w.RITA_ID)
    )
    refused(
        confidential(bench, w.ORDERS).acquire_token_on_behalf_of(weak, [w.PAYROLL_READ]),
        50076,
        "interaction_required",
        "basic_action",
    )


@case("on behalf of a user: continuous access evaluation")
def continuous(bench: Bench) -> None:
    app = confidential(bench, w.ORDERS, client_capabilities=["cp1"])
    result = token(app.acquire_token_on_behalf_of(token_for_orders(bench, w.MO, client_capabilities=["cp1"]), ["User.Read"]))
    headers = {"authorization": f"Bearer {result['access_token']}"}
    bench.admin.revoke(w.MO)
    answer = requests.get(f"{bench.world.graph}/v1.0/me", headers=headers, timeout=30)
    equal("status", answer.status_code, 401)
    contains("challenge", answer.headers["www-authenticate"], "insufficient_claims")
    time.sleep(1.1)
    again = token(app.acquire_token_on_behalf_of(token_for_orders(bench, w.MO), ["User.Read"]))
    headers = {"authorization": f"Bearer {again['access_token']}"}
    equal("afterwards", requests.get(f"{bench.world.graph}/v1.0/me", headers=headers, timeout=30).status_code, 200)
