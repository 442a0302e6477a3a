"""MSAL on a machine with a managed identity: IMDS and App Service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msal
import requests

import world as w
from bench import Bench
from cases import claims, equal, holds, of, refused, token
from msal_apps import confidential

case = of("msal")


@contextmanager
def virtual_machine(bench: Bench) -> Iterator[None]:
    """IMDS, at the emulator's address instead of 169.254.169.254."""
    with bench.environment(AZURE_POD_IDENTITY_AUTHORITY_HOST=bench.world.imds):
        yield


@contextmanager
def app_service(bench: Bench) -> Iterator[None]:
    """App Service and Container Apps."""
    world = bench.world
    with bench.environment(IDENTITY_ENDPOINT=world.identity_endpoint, IDENTITY_HEADER=world.identity_header):
        yield


SELECTORS = [
    ("system-assigned", msal.SystemAssignedManagedIdentity(), w.MACHINE),
    ("by client id", msal.UserAssignedManagedIdentity(client_id=w.ROBOT), w.ROBOT),
    ("by resource id", msal.UserAssignedManagedIdentity(resource_id=w.ROBOT_RESOURCE), w.ROBOT),
]


def _acquire(identity: Any, resource: str = w.ORDERS_URI) -> dict[str, Any]:
    return msal.ManagedIdentityClient(identity, http_client=requests.Session()).acquire_token_for_client(resource=resource)


def _each_selector() -> None:
    for name, identity, app in SELECTORS:
        access = claims(token(_acquire(identity))["access_token"])
        equal(name, (access["azp"], access["roles"], access["tid"]), (app, [w.ORDERS_ROLE], w.TENANT))


@case("managed identity on a virtual machine")
def imds(bench: Bench) -> None:
    with virtual_machine(bench):
        _each_selector()
        client = msal.ManagedIdentityClient(SELECTORS[0][1], http_client=requests.Session())
        first = token(client.acquire_token_for_client(resource=w.ORDERS_URI))
        second = token(client.acquire_token_for_client(resource=w.ORDERS_URI))
        equal("source and token", (second["token_source"], second["access_token"]), ("cache", first["access_token"]))


@case("managed identity in App Service")
def in_app_service(bench: Bench) -> None:
    with app_service(bench):
        _each_selector()


@case("managed identity: unknown identity and resource are refused")
def unknown(bench: Bench) -> None:
    for machine in (virtual_machine, app_service):
        with machine(bench):
            result = _acquire(msal.UserAssignedManagedIdentity(client_id=w.DAEMON))
            holds("an identity that the machine has not", "error" in result, result)
            result = _acquire(SELECTORS[0][1], "api://nobody.example")
            holds("a resource that nobody has", "error" in result, result)
            token(_acquire(SELECTORS[0][1]))


@case("managed identity: App Service wants its header")
def wrong_header(bench: Bench) -> None:
    with app_service(bench), bench.environment(IDENTITY_HEADER="wrong"):
        holds("refused", "error" in _acquire(SELECTORS[0][1]))


@case("managed identity as the client assertion of an application")
def as_assertion(bench: Bench) -> None:
    identity = msal.UserAssignedManagedIdentity(client_id=w.ROBOT)

    def assertion() -> str:
        with virtual_machine(bench):
            return token(_acquire(identity, w.EXCHANGE_AUDIENCE))["access_token"]

    def ask() -> dict[str, Any]:
        return confidential(bench, w.DAEMON, {"client_assertion": assertion}).acquire_token_for_client([w.ORDERS_DEFAULT])

    refused(ask(), 70021, "invalid_request")
    robot = claims(assertion())
    equal("issuer and audience", (robot["iss"], robot["tid"]), (f"{bench.world.tenant()}/v2.0", w.TENANT))
    trusted = f'federated_credentials = [{{ name = "robot", issuer = "{robot["iss"]}", subject = "{robot["sub"]}" }},'
    with bench.registered("federated_credentials = [", trusted):
        equal("azp", claims(token(ask())["access_token"])["azp"], w.DAEMON)
