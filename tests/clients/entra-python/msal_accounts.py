"""MSAL and where people come from: authorities, tenants, guests, personal accounts, sessions that end."""

from __future__ import annotations

import base64
import json
import re

import msal
import requests

import world as w
from bench import Bench
from cases import claims, contains, described, equal, holds, of, raises, refused, token
from msal_apps import account, by_hand, public, start

case = of("msal")


@case("the four switches for an authority of one's own")
def switches(bench: Bench) -> None:
    authority = bench.world.tenant()
    for options in (
        {"authority": authority, "instance_discovery": False},
        {"authority": authority, "instance_discovery": f"{bench.world.authority}/common/discovery/instance"},
        {"authority": authority, "validate_authority": False},
        {"oidc_authority": f"{authority}/v2.0"},
    ):
        app = msal.PublicClientApplication(w.DESKTOP, **options)
        result = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
        equal(f"tenant with {options}", result["id_token_claims"]["tid"], w.TENANT)
        silent = token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE)))
        equal(f"source with {options}", silent["token_source"], "cache")


@case("instance discovery refuses a host that is not this cloud's")
def unknown_instance(bench: Bench) -> None:
    elsewhere = f"https://login.elsewhere.example/{w.TENANT}"
    url = f"{bench.world.authority}/common/discovery/instance"
    raises(
        ValueError,
        lambda: msal.PublicClientApplication(w.DESKTOP, authority=elsewhere, instance_discovery=url),
        "invalid_instance",
    )


@case("http is refused before any request")
def http_refused(bench: Bench) -> None:
    authority = bench.world.tenant().replace("https:", "http:")
    raises(ValueError, lambda: msal.PublicClientApplication(w.DESKTOP, authority=authority, instance_discovery=False), "https")


@case("a tenant that does not exist")
def unknown_tenant(bench: Bench) -> None:
    for tenant in ("7e57a000-0000-4000-8000-00000000ffff", "nobody.example"):
        raises(ValueError, lambda: public(bench, tenant=tenant), "Unable to get authority configuration")


@case("a client that does not exist")
def unknown_client(bench: Bench) -> None:
    app = public(bench, app="7e57c000-0000-4000-8000-00000000ffff")
    result = app.acquire_token_by_refresh_token("1.x", [w.ORDERS_READ])
    refused(result, 700016, "unauthorized_client")
    contains("the page", bench.page_error(start(app, [w.ORDERS_READ])["auth_uri"], w.ADELE), "AADSTS700016")


@case("the tenant by its domain")
def by_domain(bench: Bench) -> None:
    app = public(bench, tenant=w.DOMAIN)
    result = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    equal("realm", account(app, w.ADELE)["realm"], w.TENANT)
    equal("issuer", result["id_token_claims"]["iss"], f"{bench.world.tenant()}/v2.0")


@case("common and organizations, for people of two tenants")
def common(bench: Bench) -> None:
    for alias in ("common", "organizations"):
        for user, tenant in ((w.ADELE, w.TENANT), (w.FARAH, w.PARTNER_TENANT)):
            app = public(bench, app=w.TRAVELLER, tenant=alias)
            result = token(by_hand(bench, app, ["User.Read"], user))
            equal(f"tenant of {user} through {alias}", result["id_token_claims"]["tid"], tenant)
            refreshed = token(app.acquire_token_silent(["User.Read"], account(app, user), force_refresh=True))
            equal("source", refreshed["token_source"], "identity_provider")


@case("an app of one tenant at common is refused")
def single_tenant(bench: Bench) -> None:
    app = public(bench, tenant="common")
    contains("the page", bench.page_error(start(app, [w.ORDERS_READ])["auth_uri"], w.ADELE), "AADSTS50194")


@case("a stranger to the tenant is refused")
def stranger(bench: Bench) -> None:
    flow = start(public(bench, app=w.TRAVELLER, tenant=w.PARTNER_TENANT), ["User.Read"])
    contains("the page", bench.page_error(flow["auth_uri"], w.ADELE), "AADSTS50020")


@case("a guest has two ids")
def guest(bench: Bench) -> None:
    app = public(bench)
    result = token(by_hand(bench, app, [w.ORDERS_READ], w.FARAH))
    who = result["id_token_claims"]
    equal("as guest", (who["oid"], who["tid"]), (w.FARAH_AS_GUEST, w.TENANT))
    access = claims(result["access_token"])
    equal("in the access token", (access["oid"], access["tid"]), (w.FARAH_AS_GUEST, w.TENANT))
    (user,) = app.get_accounts()
    equal("home account", user["home_account_id"], f"{w.FARAH_ID}.{w.PARTNER_TENANT}")
    equal("realm", user["realm"], w.TENANT)
    refreshed = token(app.acquire_token_silent([w.ORDERS_READ], user, force_refresh=True))
    equal("after a refresh", claims(refreshed["access_token"])["oid"], w.FARAH_AS_GUEST)
    at_home = public(bench, app=w.TRAVELLER, tenant=w.PARTNER_TENANT)
    equal("at home", token(by_hand(bench, at_home, ["User.Read"], w.FARAH))["id_token_claims"]["oid"], w.FARAH_ID)


@case("a personal account at consumers and at common")
def personal(bench: Bench) -> None:
    for alias in ("consumers", "common", w.CONSUMERS):
        app = public(bench, app=w.TRAVELLER, tenant=alias)
        result = token(by_hand(bench, app, ["User.Read"], w.PAT))
        who = result["id_token_claims"]
        equal(f"tenant through {alias}", who["tid"], w.CONSUMERS)
        equal(f"issuer through {alias}", who["iss"], f"{bench.world.tenant(w.CONSUMERS)}/v2.0")
        user = account(app, w.PAT)
        contains("home account", user["home_account_id"], f".{w.CONSUMERS}")
        token(app.acquire_token_silent(["User.Read"], user, force_refresh=True))


@case("a personal account has no place in organizations, nor in an app of one tenant")
def personal_refused(bench: Bench) -> None:
    flow = start(public(bench, app=w.TRAVELLER, tenant="organizations"), ["User.Read"])
    contains("organizations", bench.page_error(flow["auth_uri"], w.PAT), "AADSTS")
    flow = start(public(bench), [w.ORDERS_READ])
    contains("one tenant", bench.page_error(flow["auth_uri"], w.PAT), "AADSTS50020")
    flow = start(public(bench, app=w.TRAVELLER, tenant="consumers"), ["User.Read"])
    contains("a work account at consumers", bench.page_error(flow["auth_uri"], w.ADELE), "AADSTS")


@case("a revoked session: refused, account stays, signing in again helps")
def revoked(bench: Bench) -> None:
    app = public(bench)
    token(by_hand(bench, app, [w.ORDERS_READ], w.MO))
    user = account(app, w.MO)
    bench.admin.revoke(w.MO)
    result = app.acquire_token_silent_with_error([w.ORDERS_READ], user, force_refresh=True)
    refused(result, 50173, "invalid_grant", "bad_token")
    # MSAL hides this suberror, keeps the refresh token for other policies, and so keeps the account.
    equal("classification", result["classification"], "")
    equal("account", account(app, w.MO)["home_account_id"], user["home_account_id"])
    app.remove_account(user)
    equal("accounts after removal", app.get_accounts(), [])
    token(by_hand(bench, app, [w.ORDERS_READ], w.MO))
    token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.MO), force_refresh=True))


def _challenge(header: str) -> dict[str, object]:
    """The claims of a challenge."""
    found = re.search(r'claims="([^"]+)"', header)
    holds("the challenge has claims", found, header)
    assert found is not None
    raw = found.group(1)
    return json.loads(base64.b64decode(raw + "=" * (-len(raw) % 4)))


def _me(bench: Bench, result: dict[str, object]) -> requests.Response:
    headers = {"authorization": f"Bearer {result['access_token']}"}
    return requests.get(f"{bench.world.graph}/v1.0/me", headers=headers, timeout=30)


@case("continuous access evaluation: revoked, challenged, signed in again")
def continuous(bench: Bench) -> None:
    app = public(bench, client_capabilities=["cp1"])
    orders = token(by_hand(bench, app, [w.ORDERS_READ], w.MO))
    equal("xms_cc", claims(orders["access_token"]).get("xms_cc"), ["cp1"])
    result = token(by_hand(bench, app, ["User.Read"], w.MO))
    holds("a long life", 20 * 3600 <= result["expires_in"] <= 28 * 3600, result["expires_in"])
    equal("before", _me(bench, result).status_code, 200)
    bench.admin.revoke(w.MO)
    refusal = _me(bench, result)
    equal("after", refusal.status_code, 401)
    header = refusal.headers["www-authenticate"]
    contains("the challenge", header, 'error="insufficient_claims"')
    challenge = _challenge(header)
    holds("the challenge asks for nbf", "nbf" in challenge["access_token"], challenge)  # type: ignore[operator]
    text = json.dumps(challenge)
    silent = app.acquire_token_silent_with_error(["User.Read"], account(app, w.MO), claims_challenge=text)
    refused(silent, 50173, "invalid_grant", "bad_token")
    again = token(by_hand(bench, app, ["User.Read"], w.MO, claims_challenge=text))
    equal("with the new token", _me(bench, again).status_code, 200)


@case("a client without cp1 gets no challenge")
def not_continuous(bench: Bench) -> None:
    app = public(bench)
    orders = token(by_hand(bench, app, [w.ORDERS_READ], w.MO))
    holds("no xms_cc", "xms_cc" not in claims(orders["access_token"]))
    result = token(by_hand(bench, app, ["User.Read"], w.MO))
    holds("a short life", result["expires_in"] <= 5400, result["expires_in"])
    bench.admin.revoke(w.MO)
    answer = _me(bench, result)
    # Such a token lives out its life.
    equal("status", answer.status_code, 200)


@case("claims of an authorization request reach the token")
def claims_parameter(bench: Bench) -> None:
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    result = by_hand(bench, public(bench, client_capabilities=["cp1"]), [w.ORDERS_READ], w.ADELE, claims_challenge=challenge)
    got = claims(token(result)["access_token"])
    contains("acrs", got.get("acrs"), "c1")


@case("an error of the authorize endpoint comes back through MSAL")
def error_of_authorize(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    url = flow["auth_uri"].replace("response_type=code", "response_type=stone")
    result = app.acquire_token_by_auth_code_flow(flow, bench.visit(url, w.ADELE))
    equal("error", result.get("error"), "unsupported_response_type")
    described(result["error_description"], 70005)
