"""Applications of MSAL as the cases use them, and signing in with them."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import msal

import cases
import materials
import world as w
from bench import Bench


def public(bench: Bench, app: str = w.DESKTOP, tenant: str = w.TENANT, **options: Any) -> msal.PublicClientApplication:
    """A public client, with the one switch that a localhost authority needs."""
    options = {"authority": bench.world.tenant(tenant), "instance_discovery": False, **options}
    return msal.PublicClientApplication(app, **options)


def confidential(
    bench: Bench, app: str, credential: Any = None, tenant: str = w.TENANT, **options: Any
) -> msal.ConfidentialClientApplication:
    """A confidential client; with its valid secret if no credential is given."""
    credential = w.secret(app) if credential is None else credential
    return msal.ConfidentialClientApplication(
        app, client_credential=credential, authority=bench.world.tenant(tenant), instance_discovery=False, **options
    )


def start(app: msal.ClientApplication, scopes: list[str], **options: Any) -> dict[str, Any]:
    """The first half of the code flow, with the redirect URI of the cases."""
    return app.initiate_auth_code_flow(scopes, **{"redirect_uri": w.REDIRECT, **options})


def by_hand(bench: Bench, app: msal.ClientApplication, scopes: list[str], user: str, **options: Any) -> dict[str, Any]:
    """Both halves of the code flow; the result of MSAL, whatever it is."""
    flow = start(app, scopes, **options)
    return app.acquire_token_by_auth_code_flow(flow, bench.visit(flow["auth_uri"], user))


def token_for_orders(bench: Bench, user: str, **options: Any) -> str:
    """The access token that a desktop calls the API "Orders" with."""
    app = public(bench, client_capabilities=options.pop("client_capabilities", None))
    return cases.token(by_hand(bench, app, [w.ORDERS_READ], user, **options))["access_token"]


def account(app: msal.ClientApplication, user: str) -> dict[str, Any]:
    """The one account of that name in the cache."""
    accounts = app.get_accounts(username=user)
    cases.equal("accounts in the cache", [a["username"] for a in accounts], [user])
    return accounts[0]


def decoded_client_info(result: dict[str, Any]) -> str:
    """`client_info` as text."""
    raw = result["client_info"]
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode()


def cluster_token(bench: Bench, **changes: Any) -> str:
    """A token of the cluster for its worker, or one with `changes` to its claims."""
    now = int(time.time())
    claims = {
        "iss": w.CLUSTER_ISSUER,
        "sub": w.CLUSTER_SUBJECT,
        "aud": w.EXCHANGE_AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        **changes,
    }
    return jwt.encode(claims, bench.world.pem("cluster.key"), algorithm="RS256", headers={"kid": materials.CLUSTER_KEY_ID})
