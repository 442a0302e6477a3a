"""MSAL for Python with a cache file that Valet shares: sign-in, silent, refresh, accounts. Prints one line."""

import html
import json
import os
import re
import sys
import urllib.parse

import msal
import requests

doing, path, authority, tenant, client, upn, scope = sys.argv[1:8]
cache = msal.SerializableTokenCache()
if os.path.exists(path):
    with open(path, encoding="utf-8") as file:
        cache.deserialize(file.read())
app = msal.PublicClientApplication(
    client, authority=f"{authority}/{tenant}", instance_discovery=False, token_cache=cache
)


def sign_in():
    """The authorization code flow, approved by the emulator's header."""
    flow = app.initiate_auth_code_flow([scope], redirect_uri="http://localhost:5000", login_hint=upn)
    answer = requests.get(flow["auth_uri"], headers={"x-emulator-approve": upn}, allow_redirects=False, timeout=30)
    if "location" in answer.headers:
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))
    else:
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
        fields = {name: html.unescape(value) for name, value in pairs}
    return app.acquire_token_by_auth_code_flow(flow, fields)


def silently(force):
    accounts = app.get_accounts(username=upn)
    assert accounts, "the account is not known"
    return app.acquire_token_silent_with_error([scope], accounts[0], force_refresh=force)


if doing == "accounts":
    print(json.dumps([account["username"] for account in app.get_accounts()]))
else:
    found = {"sign-in": sign_in, "silent": lambda: silently(False), "refresh": lambda: silently(True)}[doing]()
    assert found and "access_token" in found, found
    print(found["access_token"])
if cache.has_state_changed:
    with open(path, "w", encoding="utf-8") as file:
        file.write(cache.serialize())
