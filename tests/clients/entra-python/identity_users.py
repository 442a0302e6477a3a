"""azure-identity with a user: browser, device code, authorization code, on behalf of."""

from __future__ import annotations

import json
import threading
from typing import Any

import azure.identity as ai
from azure.core.exceptions import ClientAuthenticationError

import world as w
from bench import Bench
from browser import Person
from cases import claims, equal, holds, of, raises
from identity import options, pem_file
from msal_apps import cluster_token, public, start, token_for_orders

case = of("azure-identity")


def browser_credential(bench: Bench, **more: Any) -> ai.InteractiveBrowserCredential:
    """The desktop application with its browser."""
    return ai.InteractiveBrowserCredential(client_id=w.DESKTOP, tenant_id=w.TENANT, timeout=30, **more, **options(bench))


def _user_of(got: Any) -> str:
    return claims(got.token)["oid"]


@case("InteractiveBrowserCredential: browser once, then silent, also for another API")
def interactive(bench: Bench) -> None:
    credential = browser_credential(bench)
    with bench.at_desktop(Person(w.ADELE, by_pages=True)) as opened:
        first = credential.get_token(w.ORDERS_READ)
        equal("user", _user_of(first), w.ADELE_ID)
        equal("from the cache", credential.get_token(w.ORDERS_READ).token, first.token)
        equal("pages opened", len(opened), 1)
        # Consent to the second API needs the browser again; afterwards nothing does.
        bench.admin.forget_consents()
        equal("API", claims(credential.get_token(w.BILLING_READ).token)["aud"], w.BILLING)
        equal("pages opened for the second API", len(opened), 2)
        credential.get_token(w.BILLING_READ)
        equal("pages opened in the end", len(opened), 2)


@case("InteractiveBrowserCredential: authenticate, the record, and AuthenticationRequiredError")
def record(bench: Bench) -> None:
    credential = browser_credential(bench)
    with bench.at_desktop(Person(w.ADELE)):
        made = credential.authenticate(scopes=[w.ORDERS_READ])
    equal("record", (made.username, made.tenant_id, made.home_account_id), (w.ADELE, w.TENANT, f"{w.ADELE_ID}.{w.TENANT}"))
    # The record keeps host and port, which azure-identity refuses as an authority: only port 443 needs no scheme.
    saved = {**json.loads(made.serialize()), "authority": bench.world.authority}
    restored = ai.AuthenticationRecord.deserialize(json.dumps(saved))
    patient = ai.InteractiveBrowserCredential(
        authentication_record=restored, disable_automatic_authentication=True, disable_instance_discovery=True
    )
    error = raises(ai.AuthenticationRequiredError, lambda: patient.get_token(w.ORDERS_READ))
    equal("scopes of the error", tuple(error.scopes), (w.ORDERS_READ,))  # type: ignore[attr-defined]
    with bench.at_desktop(Person(w.ADELE)):
        patient.authenticate(scopes=error.scopes)  # type: ignore[attr-defined]
    equal("user", _user_of(patient.get_token(w.ORDERS_READ)), w.ADELE_ID)


@case("InteractiveBrowserCredential: declined")
def interactive_declined(bench: Bench) -> None:
    bench.admin.forget_consents()
    with bench.at_desktop(Person(w.ADELE, accepts=False, by_pages=True)):
        raises(ClientAuthenticationError, lambda: browser_credential(bench).get_token(w.ORDERS_READ), "AADSTS65004:")


@case("InteractiveBrowserCredential: a revoked session becomes AuthenticationRequiredError")
def revoked(bench: Bench) -> None:
    credential = browser_credential(bench, disable_automatic_authentication=True)
    with bench.at_desktop(Person(w.MO)):
        credential.authenticate(scopes=[w.ORDERS_READ])
    bench.admin.revoke(w.MO)
    raises(ai.AuthenticationRequiredError, lambda: credential.get_token(w.BILLING_READ))


@case("InteractiveBrowserCredential: claims are asked for anew")
def claims_asked(bench: Bench) -> None:
    credential = browser_credential(bench)
    with bench.at_desktop(Person(w.ADELE)):
        first = credential.get_token(w.ORDERS_READ, enable_cae=True)
        challenge = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'
        second = credential.get_token(w.ORDERS_READ, enable_cae=True, claims=challenge)
    holds("another token", first.token != second.token)
    equal("xms_cc", claims(second.token)["xms_cc"], ["cp1"])


@case("DeviceCodeCredential: approved, and declined")
def device_code(bench: Bench) -> None:
    bench.admin.forget_consents()
    for accepts in (False, True):

        def prompt(uri: str, user_code: str, _: object) -> None:
            person = Person(w.ADELE, accepts=accepts, user_code=user_code, by_pages=True)
            threading.Thread(target=bench.browser().approve_device, args=(uri, person), daemon=True).start()

        credential = ai.DeviceCodeCredential(w.DESKTOP, tenant_id=w.TENANT, prompt_callback=prompt, **options(bench))
        if accepts:
            equal("user", _user_of(credential.get_token(w.ORDERS_READ)), w.ADELE_ID)
        else:
            raises(ClientAuthenticationError, lambda: credential.get_token(w.ORDERS_READ), "AADSTS65004:")


@case("DeviceCodeCredential: nobody came")
def device_code_timeout(bench: Bench) -> None:
    credential = ai.DeviceCodeCredential(
        w.DESKTOP, tenant_id=w.TENANT, prompt_callback=lambda *_: None, timeout=1, **options(bench)
    )
    raises(ClientAuthenticationError, lambda: credential.get_token(w.ORDERS_READ), "Timed out")


def code_without_pkce(bench: Bench, app: str) -> str:
    """A code asked for without PKCE, which AuthorizationCodeCredential cannot send."""
    url = public(bench, app=app).get_authorization_request_url([w.ORDERS_READ], redirect_uri=w.REDIRECT)
    return bench.visit(url, w.ADELE)["code"]


@case("AuthorizationCodeCredential: public and confidential")
def authorization_code(bench: Bench) -> None:
    for app, secret in ((w.DESKTOP, {}), (w.WEB, {"client_secret": w.secret(w.WEB)})):
        credential = ai.AuthorizationCodeCredential(
            w.TENANT, app, code_without_pkce(bench, app), w.REDIRECT, **secret, **options(bench)
        )
        equal("user", _user_of(credential.get_token(w.ORDERS_READ)), w.ADELE_ID)
        equal("user, silently", _user_of(credential.get_token(w.ORDERS_READ)), w.ADELE_ID)


@case("AuthorizationCodeCredential: refusals")
def authorization_code_refused(bench: Bench) -> None:
    def ask(code: str, **more: Any) -> Any:
        return ai.AuthorizationCodeCredential(w.TENANT, w.WEB, code, w.REDIRECT, **more, **options(bench)).get_token(
            w.ORDERS_READ
        )

    code = code_without_pkce(bench, w.WEB)
    raises(ClientAuthenticationError, lambda: ask(code), "AADSTS7000218:")
    raises(ClientAuthenticationError, lambda: ask(code, client_secret="x"), "AADSTS7000215:")
    ask(code, client_secret=w.secret(w.WEB))
    raises(ClientAuthenticationError, lambda: ask(code, client_secret=w.secret(w.WEB)), "AADSTS54005:")
    flow = start(public(bench), [w.ORDERS_READ])
    with_pkce = bench.visit(flow["auth_uri"], w.ADELE)["code"]
    credential = ai.AuthorizationCodeCredential(w.TENANT, w.DESKTOP, with_pkce, w.REDIRECT, **options(bench))
    raises(ClientAuthenticationError, lambda: credential.get_token(w.ORDERS_READ), "AADSTS501481:")


@case("OnBehalfOfCredential: secret, certificate; cached; refusals")
def on_behalf_of(bench: Bench) -> None:
    assertion = token_for_orders(bench, w.ADELE)
    scope = f"{w.GRAPH_SCOPE}User.Read"
    for proof in (
        {"client_secret": w.secret(w.ORDERS)},
        {"client_certificate": pem_file(bench, "daemon", "daemon").read_bytes()},
    ):
        credential = ai.OnBehalfOfCredential(w.TENANT, w.ORDERS, user_assertion=assertion, **proof, **options(bench))
        first = credential.get_token(scope)
        equal("from the cache", credential.get_token(scope).token, first.token)
    billing = ai.OnBehalfOfCredential(
        w.TENANT, w.BILLING, client_secret=w.secret(w.BILLING), user_assertion=assertion, **options(bench)
    )
    raises(ClientAuthenticationError, lambda: billing.get_token(scope), "AADSTS500131:")
    weak = ai.OnBehalfOfCredential(
        w.TENANT, w.ORDERS, client_secret=w.secret(w.ORDERS), user_assertion=assertion, **options(bench)
    )
    raises(ClientAuthenticationError, lambda: weak.get_token(w.PAYROLL_READ), "AADSTS50076:")
    by_cluster = ai.OnBehalfOfCredential(
        w.TENANT, w.ORDERS, client_assertion_func=lambda: cluster_token(bench), user_assertion=assertion, **options(bench)
    )
    raises(ClientAuthenticationError, lambda: by_cluster.get_token(scope), "AADSTS70021:")
