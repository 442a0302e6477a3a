"""MSAL as a public client: the code flow by hand and with a browser, the cache, and what is refused on the way."""

from __future__ import annotations

import time

import msal

import world as w
from bench import Bench
from browser import Person
from cases import claims, contains, described, equal, holds, of, raises, refused, token
from msal_apps import account, by_hand, decoded_client_info, public, start

case = of("msal")


@case("code flow by hand, through the pages")
def code_by_hand(bench: Bench) -> None:
    bench.admin.forget_consents()
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.browser().visit(flow["auth_uri"], Person(w.ADELE, by_pages=True))
    equal("pages", len(answer.pages), 2)
    contains("the consent page", answer.pages[1], "Read your orders")
    result = token(app.acquire_token_by_auth_code_flow(flow, answer.fields))
    equal("source", result["token_source"], "identity_provider")
    equal("scope", result["scope"], w.ORDERS_READ)
    access = claims(result["access_token"])
    got = {name: access[name] for name in ("aud", "azp", "azpacr", "oid", "tid", "scp", "ver", "iss")}
    issuer = f"{bench.world.tenant()}/v2.0"
    equal(
        "access token",
        got,
        {
            "aud": w.ORDERS,
            "azp": w.DESKTOP,
            "azpacr": "0",
            "oid": w.ADELE_ID,
            "tid": w.TENANT,
            "scp": "Orders.Read",
            "ver": "2.0",
            "iss": issuer,
        },
    )
    # MSAL has compared nonce, audience and lifetime.
    who = result["id_token_claims"]
    got = {name: who[name] for name in ("iss", "oid", "tid", "preferred_username", "name")}
    equal(
        "id token",
        got,
        {
            "iss": issuer,
            "oid": w.ADELE_ID,
            "tid": w.TENANT,
            "preferred_username": w.ADELE,
            "name": "Adele Vance",
        },
    )
    equal("client_info", decoded_client_info(result), f'{{"uid":"{w.ADELE_ID}","utid":"{w.TENANT}"}}')
    equal("account", account(app, w.ADELE)["home_account_id"], f"{w.ADELE_ID}.{w.TENANT}")


@case("interactive, through the pages")
def interactive(bench: Bench) -> None:
    bench.admin.forget_consents()
    app = public(bench)
    with bench.at_desktop(Person(w.ADELE, by_pages=True)) as opened:
        result = token(app.acquire_token_interactive([w.ORDERS_READ], timeout=30))
    equal("pages opened", len(opened), 1)
    contains("the answer is posted", opened[0], "response_mode=form_post")
    equal("user", result["id_token_claims"]["oid"], w.ADELE_ID)


@case("interactive, consent to a second API on the way")
def interactive_two_apis(bench: Bench) -> None:
    app = public(bench)
    with bench.at_desktop(Person(w.ALEX)):
        result = token(
            app.acquire_token_interactive(
                [w.ORDERS_READ],
                timeout=30,
                login_hint=w.ALEX,
                prompt="select_account",
                extra_scopes_to_consent=[w.BILLING_READ],
            )
        )
    equal("API of the first token", claims(result["access_token"])["aud"], w.ORDERS)
    second = token(app.acquire_token_silent([w.BILLING_READ], account(app, w.ALEX)))
    equal("API of the second token", claims(second["access_token"])["aud"], w.BILLING)


@case("interactive, declined")
def interactive_declined(bench: Bench) -> None:
    bench.admin.forget_consents()
    with bench.at_desktop(Person(w.ADELE, accepts=False, by_pages=True)):
        result = public(bench).acquire_token_interactive([w.ORDERS_READ], timeout=30)
    equal("error", result.get("error"), "access_denied")
    described(result["error_description"], 65004)


@case("silent from the cache")
def silent_from_cache(bench: Bench) -> None:
    app = public(bench)
    first = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    second = token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE)))
    equal("source and token", (second["token_source"], second["access_token"]), ("cache", first["access_token"]))


@case("silent by refresh, for another API")
def silent_other_api(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ, w.BILLING_READ])
    token(app.acquire_token_by_auth_code_flow(flow, bench.visit(flow["auth_uri"], w.ADELE), scopes=[w.ORDERS_READ]))
    result = token(app.acquire_token_silent([w.BILLING_READ], account(app, w.ADELE)))
    equal("source", result["token_source"], "identity_provider")
    equal("API", claims(result["access_token"])["aud"], w.BILLING)


@case("silent for an API without consent is refused")
def silent_without_consent(bench: Bench) -> None:
    bench.admin.forget_consents()
    app = public(bench)
    token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    result = app.acquire_token_silent_with_error([w.BILLING_READ], account(app, w.ADELE))
    refused(result, 65001, "invalid_grant", "consent_required")
    equal("classification", result["classification"], "consent_required")
    equal("without the error", app.acquire_token_silent([w.BILLING_READ], account(app, w.ADELE)), None)


@case("forced refresh, and refresh with claims")
def forced_refresh(bench: Bench) -> None:
    app = public(bench)
    first = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    user = account(app, w.ADELE)
    second = token(app.acquire_token_silent([w.ORDERS_READ], user, force_refresh=True))
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'
    third = token(app.acquire_token_silent([w.ORDERS_READ], user, claims_challenge=challenge))
    equal("sources", [second["token_source"], third["token_source"]], ["identity_provider"] * 2)
    equal("different tokens", len({r["access_token"] for r in (first, second, third)}), 3)


@case("the cache outlives the program")
def cache_outlives(bench: Bench) -> None:
    cache = msal.SerializableTokenCache()
    first = token(by_hand(bench, public(bench, token_cache=cache), [w.ORDERS_READ], w.ADELE))
    restored = msal.SerializableTokenCache()
    restored.deserialize(cache.serialize())
    app = public(bench, token_cache=restored)
    second = token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE)))
    equal("token", second["access_token"], first["access_token"])
    third = token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE), force_refresh=True))
    holds("a new token", third["access_token"] != first["access_token"])


@case("a refresh token from elsewhere")
def foreign_refresh_token(bench: Bench) -> None:
    source = token(by_hand(bench, public(bench), [w.ORDERS_READ], w.ADELE))
    app = public(bench)
    result = token(app.acquire_token_by_refresh_token(source["refresh_token"], [w.ORDERS_READ]))
    equal("user", result["id_token_claims"]["oid"], w.ADELE_ID)
    again = token(public(bench).acquire_token_by_refresh_token(source["refresh_token"], [w.ORDERS_READ]))
    holds("using it does not end it", again["refresh_token"] != source["refresh_token"])
    refused(app.acquire_token_by_refresh_token("1.nonsense", [w.ORDERS_READ]), 70000, "invalid_grant", "bad_token")
    other = public(bench, app=w.TRAVELLER)
    result = other.acquire_token_by_refresh_token(source["refresh_token"], [w.ORDERS_READ])
    equal("error of another client", result.get("error"), "invalid_grant")


@case("signing out forgets the account")
def sign_out(bench: Bench) -> None:
    app = public(bench)
    token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    user = account(app, w.ADELE)
    app.remove_account(user)
    equal("accounts", app.get_accounts(), [])
    equal("silent", app.acquire_token_silent([w.ORDERS_READ], user), None)


@case("prompt=none with and without a session")
def prompt_none(bench: Bench) -> None:
    app, browser = public(bench), bench.browser()
    flow = start(app, [w.ORDERS_READ], prompt="none")
    result = app.acquire_token_by_auth_code_flow(flow, browser.visit(flow["auth_uri"], Person("", by_pages=True)).fields)
    equal("error without a session", result.get("error"), "login_required")
    described(result["error_description"], 50058)
    browser.visit(start(app, [w.ORDERS_READ])["auth_uri"], Person(w.ADELE))
    flow = start(app, [w.ORDERS_READ], prompt="none")
    answer = browser.visit(flow["auth_uri"], Person("", by_pages=True))
    equal("pages with a session", answer.pages, [])
    result = token(app.acquire_token_by_auth_code_flow(flow, answer.fields))
    equal("user of the session", result["id_token_claims"]["oid"], w.ADELE_ID)


@case("answer by query, fragment and form_post")
def response_modes(bench: Bench) -> None:
    app = public(bench)
    for mode in ("query", "fragment", "form_post"):
        flow = start(app, [w.ORDERS_READ], response_mode=mode)
        answer = bench.browser().visit(flow["auth_uri"], Person(w.ADELE))
        equal(f"posted in {mode}", answer.posted, mode == "form_post")
        token(app.acquire_token_by_auth_code_flow(flow, answer.fields))


@case("a wrong PKCE verifier is refused")
def wrong_verifier(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    result = app.acquire_token_by_auth_code_flow({**flow, "code_verifier": "x" * 50}, answer)
    refused(result, 501481, "invalid_grant")


@case("a code is good once")
def code_once(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    token(app.acquire_token_by_auth_code_flow(flow, answer))
    refused(app.acquire_token_by_auth_code_flow(flow, answer), 54005, "invalid_grant")


@case("a code of another tenant is refused")
def code_of_other_tenant(bench: Bench) -> None:
    flow = start(public(bench, app=w.TRAVELLER), ["User.Read"])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    elsewhere = public(bench, app=w.TRAVELLER, tenant=w.PARTNER_TENANT)
    refused(elsewhere.acquire_token_by_auth_code_flow(flow, answer), 700005, "invalid_grant")


@case("an unregistered redirect URI stays on a page")
def unregistered_redirect(bench: Bench) -> None:
    flow = start(public(bench), [w.ORDERS_READ], redirect_uri="http://localhost:5000/elsewhere")
    contains("the page", bench.page_error(flow["auth_uri"], w.ADELE), "AADSTS50011")


@case("redeeming with another redirect URI is refused")
def other_redirect(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    result = app.acquire_token_by_auth_code_flow({**flow, "redirect_uri": "http://localhost"}, answer)
    equal("numbers", result.get("error_codes"), [500112])


@case("the state is MSAL's own affair")
def state(bench: Bench) -> None:
    app = public(bench)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    equal("state comes back", answer["state"], flow["state"])
    raises(ValueError, lambda: app.acquire_token_by_auth_code_flow(flow, {**answer, "state": "x"}), "state mismatch")


@case("unknown scopes and APIs are refused")
def unknown_scopes(bench: Bench) -> None:
    app = public(bench)
    for scope, number, error in [
        ("Orders.Fly", 650053, "invalid_client"),
        (f"{w.ORDERS_URI}/Orders.Fly", 650053, "invalid_client"),
        ("api://nobody.example/Read", 500011, "invalid_resource"),
    ]:
        flow = start(app, [scope])
        result = app.acquire_token_by_auth_code_flow(flow, bench.visit(flow["auth_uri"], w.ADELE))
        described(result["error_description"], number)
        holds(f"error of {scope}", result["error"] in (error, "invalid_scope"), result["error"])
    source = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    two = app.acquire_token_by_refresh_token(source["refresh_token"], [w.ORDERS_READ, w.BILLING_READ])
    equal("two APIs at the token endpoint", (two.get("error"), two.get("error_codes")), ("invalid_scope", [700022]))


@case("a scope for administrators, before and after admin consent")
def admin_consent(bench: Bench) -> None:
    bench.admin.forget_consents()
    app = public(bench)
    result = by_hand(bench, app, [w.ORDERS_ADMIN], w.ADELE)
    equal("error before", result.get("error"), "access_denied")
    described(result["error_description"], 90094)
    # The same as the button in the portal.
    consent = f'{{ resource = "{w.ORDERS}", delegated = ["Orders.Admin"], admin_consented = true }},'
    vault = f'{{ resource = "{w.VAULT_ID}"'
    with bench.registered(vault, consent + vault):
        flow = start(app, [w.ORDERS_ADMIN])
        answer = bench.browser().visit(flow["auth_uri"], Person(w.ADELE, by_pages=True))
        equal("pages after", len(answer.pages), 1)
        result = token(app.acquire_token_by_auth_code_flow(flow, answer.fields))
        equal("scopes after", claims(result["access_token"])["scp"], "Orders.Admin")
    equal("error after it was withdrawn", by_hand(bench, app, [w.ORDERS_ADMIN], w.ADELE).get("error"), "access_denied")


@case("MSAL holds back after 429 as long as Retry-After says")
def throttled(bench: Bench) -> None:
    app = public(bench)
    source = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    bench.admin.fail("login", 429, times=1, retry_after=2)
    ask = lambda: app.acquire_token_by_refresh_token(source["refresh_token"], [w.ORDERS_READ])
    first, second = ask(), ask()
    equal("first", first.get("error"), "temporarily_unavailable")
    equal("second is the first again", second.get("trace_id"), first["trace_id"])
    time.sleep(2.5)
    token(ask())


@case("MSAL remembers a refusal for a minute")
def remembered_refusal(bench: Bench) -> None:
    app = public(bench)
    ask = lambda: app.acquire_token_by_refresh_token("1.nonsense", [w.ORDERS_READ])
    equal("same trace id", ask()["trace_id"], ask()["trace_id"])
