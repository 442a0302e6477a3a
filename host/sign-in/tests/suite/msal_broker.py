"""MSAL for Python with Microsoft's native runtime: signs in through the broker on the session bus. Prints one line."""

import sys

import msal

authority, tenant, client, scope = sys.argv[1:5]
app = msal.PublicClientApplication(
    client, authority=f"{authority}/{tenant}", instance_discovery=False, enable_broker_on_linux=True
)
found = app.acquire_token_interactive(
    [scope], parent_window_handle=msal.PublicClientApplication.CONSOLE_WINDOW_HANDLE, timeout=60
)
print("signed in" if "access_token" in found and found.get("token_source") == "broker" else found)
