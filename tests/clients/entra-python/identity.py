"""azure-identity without a user: secrets, certificates, assertions, workload and managed identity, and the chains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.identity as ai
from azure.core.exceptions import ClientAuthenticationError

import world as w
from bench import Bench
from cases import claims, equal, of, raises
from msal_apps import cluster_token
from msal_machine import app_service, virtual_machine

case = of("azure-identity")


def options(bench: Bench) -> dict[str, Any]:
    """The switches for an authority on localhost."""
    return {"authority": bench.world.authority, "disable_instance_discovery": True}


def check_app_token(got: Any, app: str, proof: str) -> None:
    """An AccessToken for the API "Orders", of this application, proved so (`azpacr`)."""
    access = claims(got.token)
    wanted = (w.ORDERS, app, proof, [w.ORDERS_ROLE])
    equal("access token", (access["aud"], access["azp"], access["azpacr"], access["roles"]), wanted)
    # The client counts from when it asked, or from when it was answered: on a busy machine that is some seconds from when the token was made.
    apart = got.expires_on - access["exp"]
    equal("expires_on, at most a minute from exp", (apart if abs(apart) > 60 else 0), 0)


def pem_file(bench: Bench, key: str, certificate: str) -> Path:
    """One file with both, as azure-identity wants it."""
    file = bench.world.keys / f"{key}-{certificate}.pem"
    file.write_text(bench.world.pem(f"{key}.key") + bench.world.pem(f"{certificate}.cert"))
    return file


@case("ClientSecretCredential")
def client_secret(bench: Bench) -> None:
    credential = ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench))
    first = credential.get_token(w.ORDERS_DEFAULT)
    check_app_token(first, w.DAEMON, "1")
    equal("from the cache", credential.get_token(w.ORDERS_DEFAULT).token, first.token)
    equal("type", credential.get_token_info(w.ORDERS_DEFAULT).token_type, "Bearer")
    aware = credential.get_token(w.ORDERS_DEFAULT, enable_cae=True)
    equal("xms_cc", claims(aware.token).get("xms_cc"), ["cp1"])


@case("ClientSecretCredential: refusals")
def client_secret_refused(bench: Bench) -> None:
    def ask(secret: str, scope: str = w.ORDERS_DEFAULT, app: str = w.DAEMON, tenant: str = w.TENANT) -> Callable[[], object]:
        return lambda: ai.ClientSecretCredential(tenant, app, secret, **options(bench)).get_token(scope)

    good = w.secret(w.DAEMON)
    for act, number in [
        (ask("not-the-secret"), 7000215),
        (ask(w.expired_secret(w.DAEMON)), 7000222),
        (ask(good, scope="api://nobody.example/.default"), 500011),
        (ask(good, scope=w.ORDERS_READ), 1002012),
        (ask(good, app="7e57c000-0000-4000-8000-00000000ffff"), 700016),
        (ask(good, tenant=w.PARTNER_TENANT), 700016),
    ]:
        raises(ClientAuthenticationError, act, f"AADSTS{number}:")


@case("a second tenant only where it was allowed")
def other_tenants(bench: Bench) -> None:
    closed = ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench))
    raises(ClientAuthenticationError, lambda: closed.get_token(w.ORDERS_DEFAULT, tenant_id=w.PARTNER_TENANT), "not configured")
    opened = ai.ClientSecretCredential(
        w.PARTNER_TENANT, w.DAEMON, w.secret(w.DAEMON), additionally_allowed_tenants=["*"], **options(bench)
    )
    check_app_token(opened.get_token(w.ORDERS_DEFAULT, tenant_id=w.TENANT), w.DAEMON, "1")


@case("CertificateCredential: from a file, from bytes, with the chain")
def certificate(bench: Bench) -> None:
    file = pem_file(bench, "daemon", "daemon")
    for source in (
        {"certificate_path": str(file)},
        {"certificate_data": file.read_bytes()},
        {"certificate_path": str(file), "send_certificate_chain": True},
    ):
        credential = ai.CertificateCredential(w.TENANT, w.DAEMON, **source, **options(bench))
        check_app_token(credential.get_token(w.ORDERS_DEFAULT), w.DAEMON, "2")


@case("CertificateCredential: an unregistered one is refused")
def certificate_refused(bench: Bench) -> None:
    file = pem_file(bench, "stranger", "stranger")
    credential = ai.CertificateCredential(w.TENANT, w.DAEMON, str(file), **options(bench))
    raises(ClientAuthenticationError, lambda: credential.get_token(w.ORDERS_DEFAULT), "AADSTS700027:")


@case("ClientAssertionCredential")
def assertion(bench: Bench) -> None:
    good = ai.ClientAssertionCredential(w.TENANT, w.DAEMON, lambda: cluster_token(bench), **options(bench))
    check_app_token(good.get_token(w.ORDERS_DEFAULT), w.DAEMON, "2")
    other = lambda: cluster_token(bench, sub="system:serviceaccount:shop:manager")
    bad = ai.ClientAssertionCredential(w.TENANT, w.DAEMON, other, **options(bench))
    raises(ClientAuthenticationError, lambda: bad.get_token(w.ORDERS_DEFAULT), "AADSTS700213:")


def token_file(bench: Bench, **changes: Any) -> Path:
    """The file that Kubernetes projects into a pod."""
    file = bench.world.keys / "federated-token"
    file.write_text(cluster_token(bench, **changes))
    return file


@case("WorkloadIdentityCredential: from a file, and from the environment")
def workload(bench: Bench) -> None:
    file = token_file(bench)
    named = ai.WorkloadIdentityCredential(tenant_id=w.TENANT, client_id=w.DAEMON, token_file_path=str(file), **options(bench))
    check_app_token(named.get_token(w.ORDERS_DEFAULT), w.DAEMON, "2")
    with pod(bench):
        credential = ai.WorkloadIdentityCredential(disable_instance_discovery=True)
        check_app_token(credential.get_token(w.ORDERS_DEFAULT), w.DAEMON, "2")
    token_file(bench, iss="https://other.example")
    stale = ai.WorkloadIdentityCredential(tenant_id=w.TENANT, client_id=w.DAEMON, token_file_path=str(file), **options(bench))
    raises(ClientAuthenticationError, lambda: stale.get_token(w.ORDERS_DEFAULT), "AADSTS700211:")


def pod(bench: Bench) -> Any:
    """The environment of a pod with workload identity."""
    return bench.environment(
        AZURE_TENANT_ID=w.TENANT,
        AZURE_CLIENT_ID=w.DAEMON,
        AZURE_FEDERATED_TOKEN_FILE=str(token_file(bench)),
        AZURE_AUTHORITY_HOST=bench.world.authority,
    )


@case("ManagedIdentityCredential: system- and user-assigned, on a virtual machine and in App Service")
def managed(bench: Bench) -> None:
    for machine in (virtual_machine, app_service):
        with machine(bench):
            for arguments, app in [
                ({}, w.MACHINE),
                ({"client_id": w.ROBOT}, w.ROBOT),
                ({"identity_config": {"resource_id": w.ROBOT_RESOURCE}}, w.ROBOT),
            ]:
                credential = ai.ManagedIdentityCredential(**arguments)
                check_app_token(credential.get_token(w.ORDERS_DEFAULT), app, "2")


@case("ManagedIdentityCredential: an identity that the machine has not")
def managed_refused(bench: Bench) -> None:
    for machine in (virtual_machine, app_service):
        with machine(bench):
            credential = ai.ManagedIdentityCredential(client_id=w.DAEMON)
            raises(ai.CredentialUnavailableError, lambda: credential.get_token(w.ORDERS_DEFAULT))


@case("EnvironmentCredential: secret and certificate")
def environment(bench: Bench) -> None:
    file = pem_file(bench, "daemon", "daemon")
    for variables, proof in [
        ({"AZURE_CLIENT_SECRET": w.secret(w.DAEMON)}, "1"),
        ({"AZURE_CLIENT_CERTIFICATE_PATH": str(file)}, "2"),
    ]:
        with service_principal(bench, **variables):
            credential = ai.EnvironmentCredential(disable_instance_discovery=True)
            check_app_token(credential.get_token(w.ORDERS_DEFAULT), w.DAEMON, proof)


def service_principal(bench: Bench, **variables: str) -> Any:
    """The environment of a service principal."""
    return bench.environment(
        AZURE_TENANT_ID=w.TENANT, AZURE_CLIENT_ID=w.DAEMON, AZURE_AUTHORITY_HOST=bench.world.authority, **variables
    )


@case("DefaultAzureCredential: environment, workload identity, managed identity, in this order")
def default(bench: Bench) -> None:
    def ask(app: str, proof: str, **more: Any) -> None:
        credential = ai.DefaultAzureCredential(disable_instance_discovery=True, **more)
        check_app_token(credential.get_token(w.ORDERS_DEFAULT), app, proof)

    with virtual_machine(bench):
        with pod(bench), service_principal(bench, AZURE_CLIENT_SECRET=w.secret(w.DAEMON)):
            ask(w.DAEMON, "1")
        with pod(bench):
            ask(w.DAEMON, "2")
        ask(w.MACHINE, "2")
        ask(w.ROBOT, "2", managed_identity_client_id=w.ROBOT)


@case("DefaultAzureCredential: a wrong secret ends the chain with the reason")
def default_refused(bench: Bench) -> None:
    with service_principal(bench, AZURE_CLIENT_SECRET="not-the-secret"):
        credential = ai.DefaultAzureCredential(disable_instance_discovery=True)
        raises(ClientAuthenticationError, lambda: credential.get_token(w.ORDERS_DEFAULT), "AADSTS7000215:")


@case("ChainedTokenCredential: the first that is available")
def chained(bench: Bench) -> None:
    with bench.environment(AZURE_POD_IDENTITY_AUTHORITY_HOST=bench.world.imds):
        unavailable = ai.ManagedIdentityCredential(client_id=w.DAEMON)
        available = ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench))
        chain = ai.ChainedTokenCredential(unavailable, available)
        check_app_token(chain.get_token(w.ORDERS_DEFAULT), w.DAEMON, "1")
        lonely = ai.ChainedTokenCredential(unavailable)
        raises(ClientAuthenticationError, lambda: lonely.get_token(w.ORDERS_DEFAULT), "ManagedIdentityCredential")


@case("http and a bare host are refused before any request")
def http_refused(bench: Bench) -> None:
    plain = bench.world.authority.replace("https:", "http:")
    raises(ValueError, lambda: ai.ClientSecretCredential(w.TENANT, w.DAEMON, "x", authority=plain), "https")


@case("an outage is retried by the client")
def outage(bench: Bench) -> None:
    bench.admin.fail("login", 503, times=1, retry_after=1)
    credential = ai.ClientSecretCredential(w.TENANT, w.DAEMON, w.secret(w.DAEMON), **options(bench))
    check_app_token(credential.get_token(w.ORDERS_DEFAULT), w.DAEMON, "1")
