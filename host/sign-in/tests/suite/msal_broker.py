"""MSAL for Python with Microsoft's native runtime: signs in through the broker on the session bus, or gives that up once a line has come on standard input.
Prints one line."""

import sys
import uuid

import msal
import pymsalruntime

doing, authority, tenant, client, scope = sys.argv[1:6]


def sign_in():
    app = msal.PublicClientApplication(
        client, authority=f"{authority}/{tenant}", instance_discovery=False, enable_broker_on_linux=True
    )
    found = app.acquire_token_interactive(
        [scope], parent_window_handle=msal.PublicClientApplication.CONSOLE_WINDOW_HANDLE, timeout=60
    )
    if "access_token" in found and found.get("token_source") == "broker":
        return "signed in"
    return found.get("error_description", found)


def give_up():
    """MSAL for Python cannot, so the runtime is asked itself. The call that takes the window away comes back when the broker has answered it."""
    parameters = pymsalruntime.MSALRuntimeAuthParameters(client, f"{authority}/{tenant}")
    parameters.set_requested_scopes([scope])
    parameters.set_redirect_uri("https://login.microsoftonline.com/common/oauth2/nativeclient")
    told = pymsalruntime.CallbackData()
    window = 1
    flow = pymsalruntime.signin_interactively(window, parameters, str(uuid.uuid4()), None, lambda result: told.complete(result))
    sys.stdin.readline()
    flow.cancel_async_operation()
    told.signal.wait()
    error = told.result.get_error()
    if error is None:
        return "signed in"
    return f"{error.get_context()}. Status: {error.get_status()}, Error code: {error.get_error_code()}, Tag: {error.get_tag()}"


print({"sign-in": sign_in, "give-up": give_up}[doing]())
