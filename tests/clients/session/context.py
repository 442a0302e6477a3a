"""What the suites in Python know of the servers that run.py started."""

from __future__ import annotations

import json
import os
import urllib.parse
from pathlib import Path
from typing import Any

import expected
from browser import Browser
from emulator import Emulator
from report import Report
from tls import trusting

_facts = json.loads(Path(os.environ["MCP_NODE_CONTEXT"]).read_text())

URL: str = _facts["url"]
CLIENT_ID: str = _facts["expected"]["client_id"]
DOCUMENT: str = _facts["document"]
ISSUER = "https://" + urllib.parse.urlsplit(URL).netloc
TLS = trusting(_facts["ca_files"])
EMULATOR = Emulator(_facts["authority"], [Path(file) for file in _facts["ca_files"]])
USER = "adele@contoso.example"

# The ways in which a client can be known.
BEFOREHAND, ITSELF, DOCUMENTED = WAYS = ("registered beforehand", "that registers itself", "with a document")


def browser(press: str = "allow") -> Browser:
    """A new one."""
    return Browser(USER, ISSUER, EMULATOR.authority, TLS, press)


def asked_well(report: Report, page: str, answer: str, way: str) -> str:
    """What a client has to have asked for and got; gives its id."""
    asked, got = (dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) for url in (page, answer))
    names = ("response_type", "code_challenge_method", "resource", "scope")
    report.equal("what was asked for", [asked.get(name) for name in names], ["code", "S256", URL, expected.SCOPE])
    report.equal("state and issuer came back", (got.get("state"), got.get("iss")), (asked["state"], ISSUER))
    client_id = asked["client_id"]
    if way == ITSELF:
        report.check("the client registered itself", client_id.startswith("registered-"), client_id)
    else:
        report.equal("the client", client_id, CLIENT_ID if way == BEFOREHAND else DOCUMENT)
    return client_id


def answers_well(report: Report, who: dict[str, Any], profile: dict[str, Any], client_id: str) -> None:
    """The results of both tools."""
    report.equal("whoami", who.get("structuredContent"), expected.whoami(USER, client_id))
    report.equal("profile", profile.get("structuredContent"), expected.PROFILES[USER])


def revoke_at_entra() -> None:
    """Ends everything that the user was granted there until now."""
    EMULATOR.ask("POST", f"users/{urllib.parse.quote(USER)}/revoke", {"reason": "sessions"})
