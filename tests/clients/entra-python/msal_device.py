"""MSAL's device code flow. What needs the clock to move is in clock.py."""

from __future__ import annotations

import re
import threading
import time

import world as w
from bench import Bench
from browser import Person
from cases import claims, contains, equal, holds, of, refused, token
from msal_apps import account, public

case = of("msal")


@case("device code: pending, then approved while MSAL polls")
def approved(bench: Bench) -> None:
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    holds("a code was given", "user_code" in flow, flow)
    equal("life and interval", (flow["expires_in"], flow["interval"]), (900, 5))
    holds("no verification_uri_complete", "verification_uri_complete" not in flow)
    contains("the message", flow["message"], flow["user_code"])
    holds("the user code is short", re.fullmatch(r"[A-Z0-9]{8,9}", flow["user_code"]), flow["user_code"])
    refused(app.acquire_token_by_device_flow({**flow, "expires_at": 0}), 70016, "authorization_pending")
    # MSAL sleeps for `interval`; a shorter one is this client's own business.
    flow["interval"] = 1
    person = Person(w.ADELE, user_code=flow["user_code"], by_pages=True)
    later = threading.Timer(1.5, lambda: bench.browser().approve_device(flow["verification_uri"], person))
    later.start()
    result = token(app.acquire_token_by_device_flow(flow))
    later.join()
    equal("user and API", (result["id_token_claims"]["oid"], claims(result["access_token"])["aud"]), (w.ADELE_ID, w.ORDERS))
    token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE), force_refresh=True))
    equal("used once", app.acquire_token_by_device_flow({**flow, "expires_at": 0}).get("error"), "bad_verification_code")


@case("device code: declined")
def declined(bench: Bench) -> None:
    bench.admin.forget_consents()
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    bench.browser().approve_device(
        flow["verification_uri"], Person(w.ADELE, accepts=False, user_code=flow["user_code"], by_pages=True)
    )
    result = app.acquire_token_by_device_flow({**flow, "expires_at": time.time() + 30, "interval": 1})
    equal("error", result.get("error"), "authorization_declined")


@case("device code: given up by the client")
def given_up(bench: Bench) -> None:
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    flow["expires_at"] = 0
    refused(app.acquire_token_by_device_flow(flow), 70016, "authorization_pending")


@case("device code: an invented one is refused")
def invented(bench: Bench) -> None:
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    refused(
        app.acquire_token_by_device_flow({**flow, "device_code": "nonsense", "expires_at": 0}), 70018, "bad_verification_code"
    )


@case("device code: a wrong user code is refused on the page")
def wrong_user_code(bench: Bench) -> None:
    app = public(bench)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    words = bench.browser().approve_device(flow["verification_uri"], Person(w.ADELE, user_code="XXXXXXXXX", by_pages=True))
    holds("the page says so", words)
    refused(app.acquire_token_by_device_flow({**flow, "expires_at": 0}), 70016, "authorization_pending")


@case("device code: not for confidential clients, not for unknown scopes")
def not_for_everybody(bench: Bench) -> None:
    app = public(bench, app=w.DAEMON)
    flow = app.initiate_device_flow([w.ORDERS_READ])
    refused(app.acquire_token_by_device_flow({**flow, "expires_at": 0}), 7000218, "invalid_client")
    flow = public(bench).initiate_device_flow([f"{w.ORDERS_URI}/Orders.Fly"])
    holds("no code for an unknown scope", "user_code" not in flow, flow)
    contains("why", flow.get("error_description"), "AADSTS650053")
