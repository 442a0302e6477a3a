"""azure-identity's asynchronous half: every credential that it has, once."""

from __future__ import annotations

import contextlib
from typing import Any

import azure.identity.aio as ai
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

import world as w
from bench import Bench
from cases import claims, equal, of, raises_later
from identity import check_app_token, options, pem_file, pod, service_principal, token_file
from identity_users import code_without_pkce
from msal_apps import cluster_token, token_for_orders
from msal_machine import app_service, virtual_machine

case = of("azure-identity")


async def _app_token(credential: Any, app: str, proof: str) -> None:
    async with credential:
        first = await credential.get_token(w.ORDERS_DEFAULT)
        check_app_token(first, app, proof)
        equal("from the cache", (await credential.get_token(w.ORDERS_DEFAULT)).token, first.token)


@case("aio: ClientSecretCredential")
async def client_secret(bench: Bench) -> None:
    await _app_token(ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench)), w.DAEMON, "1")
    for secret, number in (("not-the-secret", 7000215), (w.expired_secret(w.DAEMON), 7000222)):
        async with ai.ClientSecretCredential(w.TENANT, w.DAEMON, secret, **options(bench)) as credential:
            await raises_later(ClientAuthenticationError, credential.get_token(w.ORDERS_DEFAULT), f"AADSTS{number}:")


@case("aio: CertificateCredential")
async def certificate(bench: Bench) -> None:
    good, bad = pem_file(bench, "daemon", "daemon"), pem_file(bench, "stranger", "stranger")
    await _app_token(ai.CertificateCredential(w.TENANT, w.DAEMON, str(good), **options(bench)), w.DAEMON, "2")
    async with ai.CertificateCredential(w.TENANT, w.DAEMON, str(bad), **options(bench)) as credential:
        await raises_later(ClientAuthenticationError, credential.get_token(w.ORDERS_DEFAULT), "AADSTS700027:")


@case("aio: ClientAssertionCredential")
async def assertion(bench: Bench) -> None:
    await _app_token(
        ai.ClientAssertionCredential(w.TENANT, w.DAEMON, lambda: cluster_token(bench), **options(bench)), w.DAEMON, "2"
    )
    wrong = lambda: cluster_token(bench, sub="nobody")
    async with ai.ClientAssertionCredential(w.TENANT, w.DAEMON, wrong, **options(bench)) as credential:
        await raises_later(ClientAuthenticationError, credential.get_token(w.ORDERS_DEFAULT), "AADSTS700213:")


@case("aio: WorkloadIdentityCredential")
async def workload(bench: Bench) -> None:
    file = str(token_file(bench))
    await _app_token(
        ai.WorkloadIdentityCredential(tenant_id=w.TENANT, client_id=w.DAEMON, token_file_path=file, **options(bench)),
        w.DAEMON,
        "2",
    )


@case("aio: ManagedIdentityCredential")
async def managed(bench: Bench) -> None:
    # For App Service the asynchronous half passes the answer on, where the other says that there is no identity.
    for machine, refusal in ((virtual_machine, CredentialUnavailableError), (app_service, ClientAuthenticationError)):
        with machine(bench):
            await _app_token(ai.ManagedIdentityCredential(), w.MACHINE, "2")
            await _app_token(ai.ManagedIdentityCredential(client_id=w.ROBOT), w.ROBOT, "2")
            async with ai.ManagedIdentityCredential(client_id=w.DAEMON) as credential:
                await raises_later(refusal, credential.get_token(w.ORDERS_DEFAULT))


@case("aio: EnvironmentCredential, DefaultAzureCredential, ChainedTokenCredential")
async def chains(bench: Bench) -> None:
    with contextlib.ExitStack() as around:
        around.enter_context(virtual_machine(bench))
        await _app_token(ai.DefaultAzureCredential(disable_instance_discovery=True), w.MACHINE, "2")
        around.enter_context(pod(bench))
        await _app_token(ai.DefaultAzureCredential(disable_instance_discovery=True), w.DAEMON, "2")
        around.enter_context(service_principal(bench, AZURE_CLIENT_SECRET=w.secret(w.DAEMON)))
        await _app_token(ai.EnvironmentCredential(disable_instance_discovery=True), w.DAEMON, "1")
        await _app_token(ai.DefaultAzureCredential(disable_instance_discovery=True), w.DAEMON, "1")
    with virtual_machine(bench):
        chain = ai.ChainedTokenCredential(
            ai.ManagedIdentityCredential(client_id=w.DAEMON),
            ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench)),
        )
        await _app_token(chain, w.DAEMON, "1")


@case("aio: AuthorizationCodeCredential")
async def authorization_code(bench: Bench) -> None:
    code = code_without_pkce(bench, w.WEB)
    async with ai.AuthorizationCodeCredential(
        w.TENANT, w.WEB, code, w.REDIRECT, client_secret=w.secret(w.WEB), **options(bench)
    ) as credential:
        equal("user", claims((await credential.get_token(w.ORDERS_READ)).token)["oid"], w.ADELE_ID)
    async with ai.AuthorizationCodeCredential(
        w.TENANT, w.WEB, code, w.REDIRECT, client_secret=w.secret(w.WEB), **options(bench)
    ) as credential:
        await raises_later(ClientAuthenticationError, credential.get_token(w.ORDERS_READ), "AADSTS54005:")


@case("aio: OnBehalfOfCredential")
async def on_behalf_of(bench: Bench) -> None:
    assertion = token_for_orders(bench, w.ADELE)
    scope = f"{w.GRAPH_SCOPE}User.Read"
    async with ai.OnBehalfOfCredential(
        w.TENANT, w.ORDERS, client_secret=w.secret(w.ORDERS), user_assertion=assertion, **options(bench)
    ) as credential:
        first = await credential.get_token(scope)
        equal("from the cache", (await credential.get_token(scope)).token, first.token)
        await raises_later(ClientAuthenticationError, credential.get_token(w.PAYROLL_READ), "AADSTS50076:")
    async with ai.OnBehalfOfCredential(
        w.TENANT, w.BILLING, client_secret=w.secret(w.BILLING), user_assertion=assertion, **options(bench)
    ) as credential:
        await raises_later(ClientAuthenticationError, credential.get_token(scope), "AADSTS500131:")
