"""Microsoft's clients for Python, with the settings they have when nobody sets anything. client.py CONTEXT"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path

import msal
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    InteractiveBrowserCredential,
    OnBehalfOfCredential,
)
from azure.keyvault.secrets import SecretClient
from msgraph import GraphServiceClient

CONTEXT = json.loads(Path(sys.argv[1]).read_text())
APPS, TENANTS, USERS, VAULT = (CONTEXT[name] for name in ("apps", "tenants", "users", "vault"))
TENANT = TENANTS["contoso"]["id"]
AUTHORITY = f"https://login.microsoftonline.com/{TENANT}"
ORDERS = f"{APPS['orders']['uri']}/{APPS['orders']['scope']}"
ALL = f"{APPS['orders']['uri']}/.default"
GRAPH = "https://graph.microsoft.com"

CASES: list[tuple[str, Callable[[], None]]] = []


def case(what: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def add(body: Callable[[], None]) -> Callable[[], None]:
        CASES.append((what, body))
        return body

    return add


def claims(token: str) -> dict[str, object]:
    """The payload of a token. Clients must not look into access tokens; a test may."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def equal(got: object, wanted: object) -> None:
    if got != wanted:
        raise AssertionError(f"{got!r} instead of {wanted!r}")


def good(result: dict[str, str]) -> dict[str, str]:
    """MSAL returns refusals; it does not raise them."""
    if "access_token" not in result:
        raise AssertionError(result.get("error_description", str(result)))
    return result


def me(token: str) -> str:
    answer = requests.get(f"{GRAPH}/v1.0/me", headers={"authorization": f"Bearer {token}"}, timeout=30)
    return answer.json().get("userPrincipalName", answer.text)


def of_sdk(credential: object, scopes: list[str]) -> str | None:
    """The user principal name that msgraph-sdk reads."""

    async def ask() -> str | None:
        user = await GraphServiceClient(credential, scopes).me.get()
        return user.user_principal_name if user else None

    return asyncio.run(ask())


def desktop() -> msal.PublicClientApplication:
    return msal.PublicClientApplication(APPS["desktop"], authority=AUTHORITY)


@case("msal: sign-in with the browser of the system, /me, silent")
def _() -> None:
    client = desktop()
    result = good(client.acquire_token_interactive(["User.Read"], timeout=30))
    equal(me(result["access_token"]), USERS["adele"]["upn"])
    (account,) = client.get_accounts()
    equal(account["environment"], "login.microsoftonline.com")
    again = good(client.acquire_token_silent_with_error(["User.Read"], account, force_refresh=True))
    equal(me(again["access_token"]), USERS["adele"]["upn"])


@case("msal: client credentials, right and wrong")
def _() -> None:
    daemon = APPS["daemon"]
    client = msal.ConfidentialClientApplication(daemon["id"], daemon["secret"], authority=AUTHORITY)
    token = good(client.acquire_token_for_client([ALL]))["access_token"]
    equal(claims(token)["roles"], ["Orders.Read.All"])
    guess = msal.ConfidentialClientApplication(daemon["id"], "guessed", authority=AUTHORITY)
    equal(guess.acquire_token_for_client([ALL])["error_codes"], [7000215])


@case("msal: on behalf of, then /me")
def _() -> None:
    assertion = good(desktop().acquire_token_interactive([ORDERS], timeout=30))["access_token"]
    orders = APPS["orders"]
    api = msal.ConfidentialClientApplication(orders["id"], orders["secret"], authority=AUTHORITY)
    result = good(api.acquire_token_on_behalf_of(assertion, ["User.Read"]))
    equal(me(result["access_token"]), USERS["adele"]["upn"])


@case("msal: managed identity, at the address of IMDS")
def _() -> None:
    machine = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
    token = good(machine.acquire_token_for_client(resource=APPS["orders"]["uri"]))["access_token"]
    equal(claims(token)["azp"], APPS["system"])


@case("azure-identity: browser of the system, and /me by msgraph-sdk")
def _() -> None:
    credential = InteractiveBrowserCredential(tenant_id=TENANT, client_id=APPS["desktop"], timeout=30)
    equal(of_sdk(credential, ["User.Read"]), USERS["adele"]["upn"])


@case("azure-identity: on behalf of, and /me by msgraph-sdk")
def _() -> None:
    assertion = good(desktop().acquire_token_interactive([ORDERS], timeout=30))["access_token"]
    orders = APPS["orders"]
    credential = OnBehalfOfCredential(TENANT, orders["id"], client_secret=orders["secret"], user_assertion=assertion)
    equal(of_sdk(credential, ["User.Read"]), USERS["adele"]["upn"])


@case("azure-identity: client secret")
def _() -> None:
    daemon = APPS["daemon"]
    token = ClientSecretCredential(TENANT, daemon["id"], daemon["secret"]).get_token(ALL).token
    equal(claims(token)["azp"], daemon["id"])


@case("azure-identity: DefaultAzureCredential finds the machine")
def _() -> None:
    equal(claims(DefaultAzureCredential().get_token(ALL).token)["azp"], APPS["system"])
    named = DefaultAzureCredential(managed_identity_client_id=APPS["assigned"]["id"])
    equal(claims(named.get_token(ALL).token)["azp"], APPS["assigned"]["id"])


def vault(credential: object) -> SecretClient:
    # The challenge of the vault is verified: its resource must be the domain of the vault's address.
    return SecretClient(f"https://{VAULT['name']}.vault.azure.net", credential)


@case("azure-keyvault-secrets: the machine reads, writes and lists")
def _() -> None:
    client = vault(DefaultAzureCredential())
    equal(client.get_secret(VAULT["secret"]).value, VAULT["value"])
    client.set_secret("of-the-machine", "written")
    equal(client.get_secret("of-the-machine").value, "written")
    names = {secret.name for secret in client.list_properties_of_secrets()}
    if not {VAULT["secret"], "of-the-machine"} <= names:
        raise AssertionError(f"listed: {names}")


@case("azure-keyvault-secrets: a secret that is not there")
def _() -> None:
    try:
        vault(DefaultAzureCredential()).get_secret("nothing")
    except ResourceNotFoundError as error:
        equal(error.error.code if error.error else None, "SecretNotFound")
    else:
        raise AssertionError("it was there")


@case("azure-keyvault-secrets: an application that may not read")
def _() -> None:
    orders = APPS["orders"]
    try:
        vault(ClientSecretCredential(TENANT, orders["id"], orders["secret"])).get_secret(VAULT["secret"])
    except HttpResponseError as error:
        equal(error.status_code, 403)
    else:
        raise AssertionError("it could read")


def main() -> None:
    for what, body in CASES:
        line = f"real names, Python: {what}"
        try:
            body()
        except Exception as error:  # Whatever a library raises is a failed case, not the end.
            print(f"FAILED {line}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        else:
            print(f"ok {line}", flush=True)
    print("end of the suite", flush=True)


main()
