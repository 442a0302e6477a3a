"""azure-keyvault-secrets: secrets and their versions, refusals, and the challenge that begins it all."""

from __future__ import annotations

from typing import Any

import azure.identity
import azure.identity.aio
import azure.keyvault.secrets.aio
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

import world as w
from bench import Bench
from browser import Person
from cases import equal, holds, of, raises, raises_later
from identity import options
from identity_users import browser_credential
from msal_machine import virtual_machine

case = of("azure-keyvault-secrets")


def _credential(bench: Bench, app: str = w.DAEMON) -> Any:
    return azure.identity.ClientSecretCredential(w.TENANT, app, w.secret(app), **options(bench))


def _client(bench: Bench, credential: Any = None) -> SecretClient:
    return SecretClient(bench.world.vault, credential or _credential(bench), verify_challenge_resource=False)


@case("the challenge, then a secret")
def get(bench: Bench) -> None:
    seen: list[tuple[int, bool, str]] = []

    def note(response: Any) -> None:
        answer = response.http_response
        challenge = answer.headers.get("WWW-Authenticate", "")
        seen.append((answer.status_code, "Authorization" in response.http_request.headers, challenge))

    client = SecretClient(bench.world.vault, _credential(bench), verify_challenge_resource=False, raw_response_hook=note)
    found = client.get_secret("greeting")
    equal("value", found.value, w.VAULT_SECRETS["greeting"])
    properties = found.properties
    equal("name", found.name, "greeting")
    holds(
        "version, dates and state",
        properties.version and properties.created_on and properties.updated_on and properties.enabled,
    )
    holds("id", (found.id or "").startswith(f"{bench.world.vault}/secrets/greeting/"), found.id)
    again = client.get_secret("greeting", version=properties.version)
    equal("by its version", again.value, found.value)


@case("set, new version, versions, list")
def write(bench: Bench) -> None:
    client = _client(bench)
    first = client.set_secret("price", "1", content_type="text/plain", tags={"unit": "euro"})
    second = client.set_secret("price", "2")
    holds("another version", first.properties.version != second.properties.version)
    equal("newest", client.get_secret("price").value, "2")
    older = client.get_secret("price", version=first.properties.version)
    got = (older.value, older.properties.content_type, older.properties.tags)
    equal("older", got, ("1", "text/plain", {"unit": "euro"}))
    versions = {v.version for v in client.list_properties_of_secret_versions("price")}
    equal("versions", versions, {first.properties.version, second.properties.version})
    names = {s.name for s in client.list_properties_of_secrets()}
    holds("names", {"price", *w.VAULT_SECRETS} <= names, names)


@case("lists go on over pages")
def pages(bench: Bench) -> None:
    client = _client(bench)
    for number in range(4):
        client.set_secret(f"paged-{number}", "x")
    names = [s.name for s in client.list_properties_of_secrets(max_page_size=2)]
    holds("all", {f"paged-{number}" for number in range(4)} <= set(names), names)
    equal("none twice", len(names), len(set(names)))


@case("a secret that is missing")
def missing(bench: Bench) -> None:
    client = _client(bench)
    error = raises(ResourceNotFoundError, lambda: client.get_secret("nothing"), "SecretNotFound")
    equal("status", error.status_code, 404)  # type: ignore[attr-defined]
    raises(ResourceNotFoundError, lambda: client.get_secret("greeting", version="0" * 32), "SecretNotFound")
    equal("afterwards", client.get_secret("greeting").value, w.VAULT_SECRETS["greeting"])


@case("somebody without access is forbidden")
def forbidden(bench: Bench) -> None:
    client = _client(bench, _credential(bench, w.ORDERS))
    for act in (lambda: client.get_secret("greeting"), lambda: client.set_secret("greeting", "x")):
        error = raises(HttpResponseError, act, "Forbidden")
        equal("status", error.status_code, 403)  # type: ignore[attr-defined]
    equal("unchanged", _client(bench).get_secret("greeting").value, w.VAULT_SECRETS["greeting"])


@case("a name that cannot be")
def bad_name(bench: Bench) -> None:
    error = raises(HttpResponseError, lambda: _client(bench).set_secret("no_underscores", "x"))
    equal("status", error.status_code, 400)  # type: ignore[attr-defined]


@case("a wrong secret at login surfaces as it is")
def login_refused(bench: Bench) -> None:
    credential = azure.identity.ClientSecretCredential(w.TENANT, w.DAEMON, "not-the-secret", **options(bench))
    raises(ClientAuthenticationError, lambda: _client(bench, credential).get_secret("greeting"), "AADSTS7000215:")


@case("for a managed identity and for a person")
def others(bench: Bench) -> None:
    with virtual_machine(bench):
        credential = azure.identity.ManagedIdentityCredential(client_id=w.ROBOT)
        equal("robot", _client(bench, credential).get_secret("colour").value, w.VAULT_SECRETS["colour"])
    with bench.at_desktop(Person(w.ADELE)):
        equal("adele", _client(bench, browser_credential(bench)).get_secret("colour").value, w.VAULT_SECRETS["colour"])
    with bench.at_desktop(Person(w.ALEX)):
        raises(HttpResponseError, lambda: _client(bench, browser_credential(bench)).get_secret("colour"), "Forbidden")


@case("the client's own check refuses a vault on localhost unless told not to")
def verification(bench: Bench) -> None:
    client = SecretClient(bench.world.vault, _credential(bench))
    raises(ValueError, lambda: client.get_secret("greeting"), "does not match the requested domain")


@case("throttling and outages are retried")
def trouble(bench: Bench) -> None:
    client = _client(bench)
    for status in (429, 503):
        bench.admin.fail("vault", status, times=1, retry_after=1)
        equal(f"after {status}", client.get_secret("greeting").value, w.VAULT_SECRETS["greeting"])


@case("aio: get, set, versions, missing, forbidden")
async def later(bench: Bench) -> None:
    def make(app: str) -> tuple[Any, Any]:
        credential = azure.identity.aio.ClientSecretCredential(w.TENANT, app, w.secret(app), **options(bench))
        return credential, azure.keyvault.secrets.aio.SecretClient(
            bench.world.vault, credential, verify_challenge_resource=False
        )

    credential, client = make(w.DAEMON)
    async with credential, client:
        equal("value", (await client.get_secret("greeting")).value, w.VAULT_SECRETS["greeting"])
        await client.set_secret("later", "1")
        await client.set_secret("later", "2")
        versions = [v async for v in client.list_properties_of_secret_versions("later")]
        equal("versions", len(versions), 2)
        await raises_later(ResourceNotFoundError, client.get_secret("nothing"), "SecretNotFound")
    credential, client = make(w.ORDERS)
    async with credential, client:
        await raises_later(HttpResponseError, client.get_secret("greeting"), "Forbidden")
