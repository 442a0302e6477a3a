"""MSAL as a confidential client: secrets, certificates, assertions of another issuer, and the code flow of a web application."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate
from msal.exceptions import MsalServiceError

import world as w
from bench import Bench
from cases import claims, equal, holds, of, raises, refused, token
from msal_apps import account, by_hand, cluster_token, confidential, start

case = of("msal")


@case("client secret, and the cache of app tokens")
def client_secret(bench: Bench) -> None:
    app = confidential(bench, w.DAEMON)
    first = token(app.acquire_token_for_client([w.ORDERS_DEFAULT]))
    access = claims(first["access_token"])
    got = {name: access.get(name) for name in ("aud", "azp", "azpacr", "roles", "tid", "idtyp", "scp")}
    equal(
        "access token",
        got,
        {
            "aud": w.ORDERS,
            "azp": w.DAEMON,
            "azpacr": "1",
            "roles": [w.ORDERS_ROLE],
            "tid": w.TENANT,
            "idtyp": "app",
            "scp": None,
        },
    )
    holds("no refresh token", "refresh_token" not in first)
    second = token(app.acquire_token_for_client([w.ORDERS_DEFAULT]))
    equal("source and token", (second["token_source"], second["access_token"]), ("cache", first["access_token"]))
    third = token(app.acquire_token_for_client([w.ORDERS_DEFAULT], claims_challenge='{"access_token":{}}'))
    equal("source with claims", third["token_source"], "identity_provider")
    app.remove_tokens_for_client()
    equal("source afterwards", token(app.acquire_token_for_client([w.ORDERS_DEFAULT]))["token_source"], "identity_provider")


@case("wrong, expired and missing secrets are refused")
def bad_secrets(bench: Bench) -> None:
    for credential, number in (("not-the-secret", 7000215), (w.expired_secret(w.DAEMON), 7000222), ("", 7000218)):
        result = confidential(bench, w.DAEMON, credential).acquire_token_for_client([w.ORDERS_DEFAULT])
        refused(result, number, "invalid_client")
    # 401 is nothing that MSAL remembers, so the right one works at once.
    token(confidential(bench, w.DAEMON).acquire_token_for_client([w.ORDERS_DEFAULT]))


@case("a public client must not send a secret")
def public_with_secret(bench: Bench) -> None:
    app = confidential(bench, w.DESKTOP, "anything")
    refused(app.acquire_token_for_client([w.ORDERS_DEFAULT]), 700025, "invalid_client")


@case("scopes of client credentials")
def app_scopes(bench: Bench) -> None:
    for scopes, number, error in [
        ([w.ORDERS_READ], 1002012, "invalid_scope"),
        (["api://nobody.example/.default"], 500011, "invalid_resource"),
    ]:
        refused(confidential(bench, w.DAEMON).acquire_token_for_client(scopes), number, error)
    at_common = confidential(bench, w.DAEMON, tenant="common").acquire_token_for_client([w.ORDERS_DEFAULT])
    equal("without a tenant", at_common.get("error"), "invalid_request")
    # An API that gave no role still gets a token made out, without roles.
    result = token(confidential(bench, w.DAEMON).acquire_token_for_client([f"{w.BILLING_URI}/.default"]))
    holds("no roles", "roles" not in claims(result["access_token"]))


def _thumbprint(pem: str) -> str:
    return load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()


@case("certificate: PS256 with x5t#S256 and x5c")
def certificate_ps256(bench: Bench) -> None:
    credential = {"private_key": bench.world.pem("daemon.key"), "public_certificate": bench.world.pem("daemon.cert")}
    result = token(confidential(bench, w.DAEMON, credential).acquire_token_for_client([w.ORDERS_DEFAULT]))
    equal("azpacr", claims(result["access_token"])["azpacr"], "2")


@case("certificate: RS256 with x5t, with and without x5c")
def certificate_rs256(bench: Bench) -> None:
    certificate = bench.world.pem("daemon.cert")
    credential = {"private_key": bench.world.pem("daemon.key"), "thumbprint": _thumbprint(certificate)}
    for more in ({}, {"public_certificate": certificate}):
        result = token(confidential(bench, w.DAEMON, {**credential, **more}).acquire_token_for_client([w.ORDERS_DEFAULT]))
        equal("azpacr", claims(result["access_token"])["azpacr"], "2")


@case("certificate: from a PFX file with a password")
def certificate_pfx(bench: Bench) -> None:
    key = serialization.load_pem_private_key(bench.world.pem("daemon.key").encode(), None)
    certificate = load_pem_x509_certificate(bench.world.pem("daemon.cert").encode())
    file = bench.world.keys / "daemon.pfx"
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(  # type: ignore[arg-type]
            b"daemon", key, certificate, None, serialization.BestAvailableEncryption(b"password")
        )
    )
    credential = {"private_key_pfx_path": str(file), "passphrase": "password", "public_certificate": True}
    token(confidential(bench, w.DAEMON, credential).acquire_token_for_client([w.ORDERS_DEFAULT]))


@case("certificate: unregistered, or signed with another key, is refused")
def certificate_refused(bench: Bench) -> None:
    stranger = {"private_key": bench.world.pem("stranger.key"), "public_certificate": bench.world.pem("stranger.cert")}
    forged = {"private_key": bench.world.pem("stranger.key"), "public_certificate": bench.world.pem("daemon.cert")}
    for credential in (stranger, forged):
        result = confidential(bench, w.DAEMON, credential).acquire_token_for_client([w.ORDERS_DEFAULT])
        refused(result, 700027, "invalid_client")
    # The same certificate is of no use to an application that it is not registered for.
    good = {"private_key": bench.world.pem("daemon.key"), "public_certificate": bench.world.pem("daemon.cert")}
    refused(confidential(bench, w.WEB, good).acquire_token_for_client([w.ORDERS_DEFAULT]), 700027, "invalid_client")


@case("assertion: a token of a trusted issuer, by callback and as text")
def federated(bench: Bench) -> None:
    for assertion in (lambda: cluster_token(bench), cluster_token(bench)):
        app = confidential(bench, w.DAEMON, {"client_assertion": assertion})
        result = token(app.acquire_token_for_client([w.ORDERS_DEFAULT]))
        equal("roles", claims(result["access_token"])["roles"], [w.ORDERS_ROLE])


@case("assertion: other issuer, subject, audience, key or time is refused")
def federated_refused(bench: Bench) -> None:
    now = int(time.time())
    for number, changes in [
        (700211, {"iss": "https://other.example"}),
        (700213, {"sub": "system:serviceaccount:shop:manager"}),
        (700212, {"aud": "api://other"}),
        (700024, {"iat": now - 7200, "nbf": now - 7200, "exp": now - 3600}),
    ]:
        app = confidential(bench, w.DAEMON, {"client_assertion": lambda: cluster_token(bench, **changes)})
        result = app.acquire_token_for_client([w.ORDERS_DEFAULT])
        refused(result, number, "invalid_client")
    head, payload, signature = cluster_token(bench).split(".")
    broken = f"{head}.{payload}.{signature[:-8]}AAAAAAAA"
    result = confidential(bench, w.DAEMON, {"client_assertion": lambda: broken}).acquire_token_for_client([w.ORDERS_DEFAULT])
    refused(result, 700027, "invalid_client")
    token(
        confidential(bench, w.DAEMON, {"client_assertion": lambda: cluster_token(bench)}).acquire_token_for_client(
            [w.ORDERS_DEFAULT]
        )
    )


@case("web application: code, secret, silent")
def web(bench: Bench) -> None:
    app = confidential(bench, w.WEB)
    result = token(by_hand(bench, app, [w.ORDERS_READ], w.ADELE))
    equal("azpacr", claims(result["access_token"])["azpacr"], "1")
    refreshed = token(app.acquire_token_silent([w.ORDERS_READ], account(app, w.ADELE), force_refresh=True))
    equal("source", refreshed["token_source"], "identity_provider")


@case("web application: the older way, without PKCE")
def web_without_pkce(bench: Bench) -> None:
    app = confidential(bench, w.WEB)
    url = app.get_authorization_request_url([w.ORDERS_READ], redirect_uri=w.REDIRECT, state="s", nonce="n")
    answer = bench.visit(url, w.ADELE)
    equal("state", answer["state"], "s")
    result = app.acquire_token_by_authorization_code(answer["code"], [w.ORDERS_READ], redirect_uri=w.REDIRECT, nonce="n")
    equal("nonce", token(result)["id_token_claims"]["nonce"], "n")


@case("web application: a wrong secret with a good code, and another client with the code")
def web_refused(bench: Bench) -> None:
    app = confidential(bench, w.WEB)
    flow = start(app, [w.ORDERS_READ])
    answer = bench.visit(flow["auth_uri"], w.ADELE)
    wrong = confidential(bench, w.WEB, "not-the-secret")
    refused(wrong.acquire_token_by_auth_code_flow(flow, answer), 7000215, "invalid_client")
    other = confidential(bench, w.DAEMON)
    result = other.acquire_token_by_auth_code_flow(flow, answer)
    holds("another client is refused", "error" in result, result)
    # Neither has used the code up.
    token(app.acquire_token_by_auth_code_flow(flow, answer))


@case("an outage of the service is an exception of MSAL, and over when the service is back")
def outage(bench: Bench) -> None:
    bench.admin.fail("login", 503, times=1)
    app = confidential(bench, w.DAEMON)
    raises(MsalServiceError, lambda: app.acquire_token_for_client([w.ORDERS_DEFAULT]), "503")
    token(confidential(bench, w.DAEMON).acquire_token_for_client([w.ORDERS_DEFAULT]))
