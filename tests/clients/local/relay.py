"""Between valet and the emulator: everything that valet sends, as it was sent. For valet it is the emulator, at the address of the emulator."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import servers
import tls
from emulator import Emulator

# Where the emulator is instead; both know it by the name `localhost`.
ELSEWHERE = "127.0.0.2"

# What belongs to one connection and not to the message (RFC 9110, section 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Sent:
    """A request."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def to_graph(self) -> bool:
        return self.target.startswith("/v1.0/")

    @property
    def bearer(self) -> str | None:
        """The token that it is sent with, where that belongs."""
        values = [value for name, value in self.fields if name.lower() == "authorization"]
        return values[0].removeprefix("Bearer ") if len(values) == 1 else None

    @property
    def rest(self) -> bytes:
        """All of it but the field in which a bearer belongs."""
        fields = "\n".join(f"{name}: {value}" for name, value in self.fields if name.lower() != "authorization")
        return f"{self.method} {self.target}\n{fields}\n".encode() + self.body

    @property
    def whole(self) -> bytes:
        return self.rest + "\n".join(value for _, value in self.fields).encode()


@dataclass
class Relay:
    """A running one."""

    emulator: Emulator
    sent: list[Sent] = field(default_factory=list)


@contextlib.contextmanager
def started(program: Path, folder: Path) -> Iterator[Relay]:
    """An emulator of its own, and the relay before it."""
    with servers.emulator_alone(program, folder, ELSEWHERE) as behind:
        certificate = servers.certificate(folder, "relay", "localhost")
        relay = Relay(Emulator(behind.authority, [certificate, *behind.ca_files]))
        port = int(behind.authority.rpartition(":")[2])
        onward = tls.trusting([str(file) for file in behind.ca_files])

        class Handler(_Handler):
            def forward(self, sent: Sent) -> http.client.HTTPResponse:
                relay.sent.append(sent)
                connection = http.client.HTTPSConnection(ELSEWHERE, port, timeout=60)
                connection.sock = onward.wrap_socket(socket.create_connection((ELSEWHERE, port), 60), server_hostname="localhost")
                connection.putrequest(sent.method, sent.target, skip_host=True, skip_accept_encoding=True)
                for name, value in sent.fields:
                    if name.lower() not in HOP_BY_HOP:
                        connection.putheader(name, value)
                connection.putheader("content-length", str(len(sent.body)))
                connection.endheaders(sent.body)
                return connection.getresponse()

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(certificate, certificate.with_name("relay.key.pem"))
        # In the thread of the connection, so that one which says nothing keeps nobody waiting.
        server.socket = own.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield relay
        finally:
            server.shutdown()
            server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self, sent: Sent) -> http.client.HTTPResponse:
        raise NotImplementedError

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.forward(Sent(self.command, self.path, list(self.headers.items()), body))
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        pass
