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
from modes import BEFOREHAND, DOCUMENTED, ITSELF, WAYS
from report import Report
from tls import trusting

_facts = json.loads(Path(os.environ["MCP_NODE_CONTEXT"]).read_text())

URL: str = _facts["url"]
DOCUMENT: str = _facts["document"]
ISSUER = "https://" + urllib.parse.urlsplit(URL).netloc
TLS = trusting(_facts["ca_files"])
EMULATOR = Emulator(_facts["authority"], [Path(file) for file in _facts["ca_files"]])
USER = "adele@contoso.example"

# What modes.py says of the mode, and the id of the client that is registered beforehand.
MODE: dict[str, Any] = _facts["mode"]
CLIENT_ID: str = MODE["ids"][BEFOREHAND]

# What comes after the scope that was named: Entra's metadata lists them, so clients ask for them.
FURTHER = {"openid", "profile", "email", "offline_access"} if MODE["name"].startswith("direct") else set()

# The title of the page on which Valet asks; it does so in one mode only.
ASKED = ["Allow access"] if MODE["asks"] else []


def browser(press: str = "allow", declines: bool = False) -> Browser:
    """A new one. `press`: the button on Valet's page. `declines`: at Entra."""
    return Browser(USER, ISSUER, EMULATOR.authority, TLS, Path(_facts["pages"]), press, declines)


def asked_well(report: Report, page: str, answer: str, way: str) -> str:
    """What a client has to have asked for and got; gives its id."""
    asked, got = (dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) for url in (page, answer))
    names = ("response_type", "code_challenge_method", "resource")
    report.equal("what was asked for", [asked.get(name) for name in names], ["code", "S256", URL])
    scope, *others = asked["scope"].split()
    report.check("the scope", scope == MODE["scope"] and FURTHER.issuperset(others), asked["scope"])
    # RFC 9207. Entra says no issuer, and promises none.
    issuer = ISSUER if MODE["asks"] else None
    report.equal("state and issuer came back", (got.get("state"), got.get("iss")), (asked["state"], issuer))
    client_id = asked["client_id"]
    if (wanted := MODE["ids"][way]) is None:
        report.check("the client registered itself", client_id.startswith("registered-"), client_id)
    else:
        report.equal("the client", client_id, wanted)
    return client_id


def answers_well(report: Report, who: dict[str, Any], profile: dict[str, Any], client_id: str) -> None:
    """The results of both tools."""
    report.equal("whoami", who.get("structuredContent"), expected.whoami(USER, client_id))
    report.equal("profile", profile.get("structuredContent"), expected.PROFILES[USER])


def revoke_at_entra() -> None:
    """Ends everything that the user was granted there until now."""
    EMULATOR.ask("POST", f"users/{urllib.parse.quote(USER)}/revoke", {"reason": "sessions"})
