"""Who and what exists in the emulated directory, and where the emulator is. Ids begin with `7e57` ("test")."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TENANT = "7e57a000-0000-4000-8000-000000000001"
DOMAIN = "contoso.example"
PARTNER_TENANT = "7e57a000-0000-4000-8000-000000000002"
# The directory of personal accounts has this id in the real service too.
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_SCOPE = "https://graph.microsoft.com/"
VAULT_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"


def _app(number: int) -> str:
    return f"7e57c000-0000-4000-8000-{number:012}"


def _user(number: int) -> str:
    return f"7e57b000-0000-4000-8000-{number:012}"


# Applications. DESKTOP is public and of one tenant; TRAVELLER is public and of every tenant and of personal accounts.
DESKTOP, TRAVELLER, WEB, ORDERS, BILLING, PAYROLL, DAEMON = (_app(number) for number in range(101, 108))
MACHINE, ROBOT = _app(111), _app(112)
# ORDERS is an API that calls on for its users; BILLING is one that nobody consented to let do so; PAYROLL wants a second factor.
ORDERS_URI, BILLING_URI, PAYROLL_URI = "api://orders.example", "api://billing.example", "api://payroll.example"
ORDERS_READ, ORDERS_ADMIN = f"{ORDERS_URI}/Orders.Read", f"{ORDERS_URI}/Orders.Admin"
BILLING_READ, PAYROLL_READ = f"{BILLING_URI}/Bills.Read", f"{PAYROLL_URI}/Payslips.Read"
ORDERS_ROLE = "Orders.Process.All"
ORDERS_DEFAULT = f"{ORDERS_URI}/.default"
REDIRECT = "http://localhost:5000/callback"

SECRET, EXPIRED_SECRET = "entra-python-secret-of-{0}", "entra-python-old-secret-of-{0}"

# The issuer of federated tokens, e.g. a Kubernetes cluster.
CLUSTER_ISSUER, CLUSTER_SUBJECT = "https://cluster.example", "system:serviceaccount:shop:worker"
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
ROBOT_RESOURCE = "/subscriptions/7e57/resourcegroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot"

ADELE, ALEX, GRACE, NESTOR = (f"{name}@{DOMAIN}" for name in ("adele", "alex", "grace", "nestor"))
ADELE_ID, ALEX_ID, GRACE_ID, NESTOR_ID = (_user(number) for number in range(1, 5))
# Farah belongs to the partner's directory and is a guest of ours, with an id of her own there.
FARAH, FARAH_ID, FARAH_AS_GUEST = "farah@fabrikam.example", _user(6), _user(7)
# Ids of personal accounts begin with zeros.
PAT, PAT_ID = "pat@outlook.example", "00000000-0000-0000-7e57-000000000008"
# Mo's sessions are revoked again and again; Rita meets Conditional Access.
MO, MO_ID, RITA, RITA_ID = f"mo@{DOMAIN}", _user(9), f"rita@{DOMAIN}", _user(10)
STAFF_GROUP = "7e57d000-0000-4000-8000-000000000001"

VAULT, VAULT_SECRETS = "shop", {"greeting": "hello from the vault", "colour": "teal"}


def secret(app: str) -> str:
    """The valid client secret of an application."""
    return SECRET.format(app[-3:])


def expired_secret(app: str) -> str:
    """The one that was valid once."""
    return EXPIRED_SECRET.format(app[-3:])


@dataclass(frozen=True)
class World:
    """Where the running emulator is, and the keys that were made for it."""

    authority: str
    graph: str
    vault: str
    # The managed identity endpoints, plain HTTP.
    imds: str
    identity_endpoint: str
    identity_header: str
    ca_file: Path
    # Private keys and certificates, see materials.py.
    keys: Path
    # The text that the emulator was started with.
    registrations: Path

    @classmethod
    def read(cls, file: Path) -> World:
        """From the file that emulator.py writes."""
        values: dict[str, Any] = json.loads(file.read_text())
        return cls(**{**values, **{name: Path(values[name]) for name in ("ca_file", "keys", "registrations")}})

    def tenant(self, name: str = TENANT) -> str:
        """The authority of a tenant or of an alias."""
        return f"{self.authority}/{name}"

    def pem(self, name: str) -> str:
        """A key or certificate."""
        return (self.keys / f"{name}.pem").read_text()
