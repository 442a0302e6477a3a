"""The ways in which clients get their tokens (docs/entra-setup.md): how Valet and Entra are set up, and what a client sees of it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import documents
import expected
import servers
from emulator import API

HOST = "valet.example"
URL = f"https://{HOST}/mcp"

# The ways in which a client can be known.
BEFOREHAND, ITSELF, DOCUMENTED = WAYS = ("registered beforehand", "that registers itself", "with a document")

# In the mode `session`: a public client, and one with a secret whose SHA-256 stands here.
PUBLIC, CONFIDENTIAL = "tests", "tests-with-a-secret"
SECRET = "a secret for these tests only"
SHA256 = "5e5c895510bffc9e3bcc56c6126a6dbbb68f721bb8388b2811d590a08e656748"

SESSION = f"""[oauth]
mode = "session"
client_document_hosts = ["{documents.HOST}"]
client_documents_at_private_addresses = true
registration_redirects = ["loopback"]
[[oauth.clients]]
client_id = "{PUBLIC}"
client_name = "The tests"
redirect_uris = {json.dumps(documents.REDIRECT_URIS)}
[[oauth.clients]]
client_id = "{CONFIDENTIAL}"
client_name = "The tests’ website"
redirect_uris = ["https://{documents.HOST}/callback"]
client_secret_sha256 = "{SHA256}"
"""

# Where its sessions are, so that the search for secrets sees a store.
STORE = "store.redb"
SESSION += f'[storage]\npath = "{STORE}"\n'
# 32 bytes in Base64.
SEALING_KEY = {"VALET_SEALING_KEY": "dGhlIHNlYWxpbmcga2V5IG9mIHRoZXNlIHRlc3RzLi4="}

# The same where signing in asks for another permission than the tool needs, so that the tool's token is asked for when it is called: under the policies of then.
LATER = SESSION.replace('mode = "session"\n', 'mode = "session"\nsign_in_scopes = ["https://graph.microsoft.com/Mail.Read"]\n')

FACADE = '[oauth]\nmode = "facade"\nregistration_redirects = ["loopback"]\n'

# What every client that does something of its own for MCP is: an SDK, or a program that has one inside.
CLIENTS = ("sdk-1", "sdk-2", "python-1", "python-2", "fastmcp", "mcp-remote", "inspector")


@dataclass(frozen=True)
class Registered:
    """What differs from the emulator's sample: the identifier URIs of the API, redirect URIs of it and of the demo client, and its permissions."""

    identifier_uris: list[str]
    web: list[str] = field(default_factory=list)
    public_client: list[str] = field(default_factory=list)
    # Permissions of Graph that an administrator has agreed to for the API.
    graph: list[str] = field(default_factory=lambda: ["User.Read"])

    def toml(self, emulator: Path) -> str:
        """The whole, made of the sample that `emulator` prints."""
        sample = subprocess.run([str(emulator), "--print-sample-config"], check=True, text=True, stdout=subprocess.PIPE).stdout
        api = f'identifier_uris = ["api://{API}", "https://localhost:8443/mcp"]'
        web = '{ web = ["http://localhost/auth/callback", "https://localhost:8443/auth/callback"] }'
        public_client = '{ public_client = ["http://localhost", "http://localhost/callback", "http://127.0.0.1/callback"] }'
        for old, new in (
            (api, f"identifier_uris = {json.dumps(self.identifier_uris)}"),
            (web, f"{{ web = {json.dumps(self.web)} }}"),
            (public_client, f"{{ public_client = {json.dumps(self.public_client)} }}"),
            ('delegated = ["User.Read"], admin_consented', f"delegated = {json.dumps(self.graph)}, admin_consented"),
        ):
            if sample.count(old) != 1:
                raise servers.NotStarted(f"the emulator's sample has {sample.count(old)} times: {old}")
            sample = sample.replace(old, new)
        return sample


@dataclass(frozen=True)
class Mode:
    """One of them."""

    name: str
    suites: tuple[str, ...]
    # Tables of valet.toml, beside those of the policy.
    rules: str
    # How a client finds its id: None for one that Valet makes up. Ways that are not here are refused.
    ids: dict[str, str | None]
    # The scope that a client is told to ask for.
    scope: str
    # Whether Valet asks the person, and says `iss` in answers (RFC 9207).
    asks: bool = False
    # Whether Entra refuses the `resource` that clients send (AADSTS9010010), so that no client gets in that sends it.
    resource_refused: bool = False
    registered: Registered | None = None
    # Valet's environment.
    variables: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What the suites know of it."""
        return {
            "name": self.name, "ids": self.ids, "scope": self.scope, "asks": self.asks, "resource_refused": self.resource_refused,
        }


LOOPBACK = [uri for uri in documents.REDIRECT_URIS if uri.startswith("http://")]

MODES = [
    Mode(
        "session", (*CLIENTS, "relying-parties", "conformance", "chromium"), SESSION,
        {BEFOREHAND: PUBLIC, ITSELF: None, DOCUMENTED: documents.URL}, expected.SCOPE, asks=True,
        variables=SEALING_KEY,
    ),
    # What policies want of people after they have signed in.
    Mode(
        "session-later", ("step-up", "chromium-step-up"), LATER, {BEFOREHAND: PUBLIC}, expected.SCOPE, asks=True,
        registered=Registered([f"api://{API}"], web=[f"https://{HOST}/auth/callback"], graph=["User.Read", "Mail.Read"]),
        variables=SEALING_KEY,
    ),
    # All clients are the one application. A document is not taken, so whoever has one registers itself.
    Mode(
        "facade", (*CLIENTS, "relying-parties", "claims"), FACADE, dict.fromkeys(WAYS, API), f"api://{API}/{expected.SCOPE}",
        registered=Registered([f"api://{API}"], web=documents.REDIRECT_URIS),
    ),
    # Entra knows the client and nothing else: no registration, no documents.
    Mode(
        "direct", (*CLIENTS, "claims"), "", {BEFOREHAND: expected.CLIENT_ID}, f"{URL}/{expected.SCOPE}",
        registered=Registered([URL], public_client=LOOPBACK),
    ),
    # The same without a verified domain, so that the public URL cannot be an identifier URI.
    Mode(
        "direct-unverified", (*CLIENTS, "claims"), f'[oauth]\nunmatched_resource = true\n[scopes]\nprefix = "api://{API}/"\n',
        {BEFOREHAND: expected.CLIENT_ID}, f"api://{API}/{expected.SCOPE}", resource_refused=True,
        registered=Registered([f"api://{API}"], public_client=LOOPBACK),
    ),
]
