"""What only time brings about. The emulator's clock moves and the clients' do not, so these run last: were it put back, what
was revoked would lie in the future."""

from __future__ import annotations

import requests

import world as w
from bench import Bench
from cases import equal, of, refused, token
from msal_apps import account, by_hand, confidential, public, start, token_for_orders

case = of("msal")

MINUTE, DAY = 60, 24 * 3600


@case("clock: a code that is ten minutes old has expired")
def old_code(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    bench.admin.advance(11 * MINUTE)
    equal("error", app.acquire_token_by_auth_code_flow(flow, answer).get("error"), "invalid_grant")


@case("clock: a device code that is fifteen minutes old has expired")
def old_device_code(bench: Bench) -> None:
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    bench.admin.advance(16 * MINUTE)
    refused(app.acquire_token_by_device_flow({**flow, "expires_at": 0}), 70019, "expired_token")


@case("clock: access tokens end, refresh tokens go on")
def old_access_token(bench: Bench) -> None:
    app = public(bench)
    old = token(by_hand(bench, app, ["User.Read"], w.ADELE))
    for_orders = token_for_orders(bench, w.ADELE)
    me = lambda result: requests.get(
        f"{bench.world.graph}/v1.0/me", headers={"authorization": f"Bearer {result['access_token']}"}, timeout=30
    )
    equal("before", me(old).status_code, 200)
    bench.admin.advance(120 * MINUTE)
    refusal = me(old)
    equal("after", (refusal.status_code, refusal.json()["error"]["code"]), (401, "InvalidAuthenticationToken"))
    behalf = confidential(bench, w.ORDERS).acquire_token_on_behalf_of(for_orders, ["User.Read"])
    refused(behalf, 500133, "invalid_grant")
    # MSAL's clock has not moved, so it has to be told.
    new = token(app.acquire_token_silent(["User.Read"], account(app, w.ADELE), force_refresh=True))
    equal("with the new one", me(new).status_code, 200)


@case("clock: a refresh token unused for ninety days has ended")
def old_refresh_token(bench: Bench) -> None:
    app = public(bench)
    token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    bench.admin.advance(91 * DAY)
    result = app.acquire_token_silent_with_error([w.ORDERS_READ], account(app, w.ADELE), force_refresh=True)
    equal("error", (result.get("error"), result.get("error_codes")), ("invalid_grant", [700082]))
    token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
