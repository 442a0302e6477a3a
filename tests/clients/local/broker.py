"""A broker of Linux on a session bus of its own, which opens no window and keeps what it was told. Run as a program it is the service itself; imported it
starts one.

Its refusals have the members of those of the fake in host/sign-in's own tests, where Microsoft's runtime reads them. It gives nobody a token: what is looked
at is how a sign-in ends that waits for its window."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "com.microsoft.identity.broker1"

# Statuses of its refusals.
API_CONTRACT_VIOLATION = 6
USER_CANCELED = 7

# For authentication on the bus, on a busy machine.
PATIENCE = 60


@dataclass(frozen=True)
class Broker:
    """One that runs."""

    # Of its session bus.
    address: str
    folder: Path

    def will(self, what: str) -> None:
        """From here on it opens a `window`, is `deaf` once it has opened one, is `silent` from the first call, or `refuses` to open one. What it was told
        before is forgotten."""
        (self.folder / "will").write_text(what)
        (self.folder / "told").write_text("")

    @property
    def told(self) -> list[tuple[str, str]]:
        """Each call and its correlation id, in their order."""
        return [tuple(json.loads(line)) for line in (self.folder / "told").read_text().splitlines()]

    @property
    def calls(self) -> list[str]:
        return [call for call, _ in self.told]


@contextlib.contextmanager
def started(python: Path, folder: Path) -> Iterator[Broker]:
    """Starts a bus and, by a Python that has jeepney, the broker on it. `folder` is short: a socket is in it."""
    # Not where the service runs, whose Python has neither.
    import keychain
    import servers
    from desk import wait

    with keychain.bus(folder) as address:
        broker = Broker(address, folder)
        broker.will("refuses")
        command = [str(python), "-B", __file__, address, str(folder)]
        with (folder / "broker.err").open("wb") as said:
            child = subprocess.Popen(command, stdout=said, stderr=said)
            with servers.ended(child):
                wait(lambda: keychain.owned(address, NAME), f"the broker is there; it said: {(folder / 'broker.err').read_text()}")
                yield broker


def serve(address: str, folder: Path) -> None:
    """The service. Ends when it is killed, or with the bus."""
    from jeepney import HeaderFields, MessageType, message_bus, new_method_return
    from jeepney.io.blocking import open_dbus_connection

    bus = open_dbus_connection(bus=address, auth_timeout=PATIENCE)
    bus.send_and_get_reply(message_bus.RequestName(NAME))
    # The interactive requests whose windows are open, by correlation id.
    windows = {}
    while True:
        message = bus.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        call, (_, correlation, _) = message.header.fields[HeaderFields.member], message.body
        with (folder / "told").open("a") as told:
            told.write(json.dumps([call, correlation]) + "\n")
        will = (folder / "will").read_text()
        if will == "silent":
            continue
        if call == "acquireTokenInteractively" and will != "refuses":
            windows[correlation] = message
            continue
        if call == "cancelInteractiveFlow" and will == "deaf":
            continue
        if call == "cancelInteractiveFlow" and correlation in windows:
            bus.send(new_method_return(windows.pop(correlation), "s", (refusal(USER_CANCELED),)))
        answers = {"getAccounts": json.dumps({"accounts": []}), "cancelInteractiveFlow": "{}"}
        bus.send(new_method_return(message, "s", (answers.get(call, refusal(API_CONTRACT_VIOLATION)),)))


def refusal(status: int) -> str:
    error = {"status": status, "subStatus": 0, "errorCode": 7, "tag": 9, "context": "a context", "diagnostics": {"raw_error_code": "an error"}}
    return json.dumps({"brokerTokenResponse": {"accessTokenType": 0, "expiresOn": 0, "extendedExpiresOn": 0, "error": error}})


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
