"""The website of a client: its Client ID Metadata Document, and the page to which its users come back."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

HOST = "client.example"
# Valet is at 127.0.0.1, and both are at the usual port: a document may be at no other.
ADDRESS = "127.0.0.2"
URL = f"https://{HOST}/client.json"

# Those that the clients of these tests use. What stands for loopback stands for each of its ports (RFC 8252 section 7.3).
REDIRECT_URIS = [
    "http://localhost/callback", "http://127.0.0.1/callback", "http://localhost/oauth/callback",
    "http://127.0.0.1/oauth/callback", f"https://{HOST}/callback",
]

DOCUMENT = {
    "client_id": URL, "client_name": "The tests, by document", "redirect_uris": REDIRECT_URIS,
    "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, kind, body = 200, "text/html; charset=utf-8", "<!doctype html><html lang=en><title>Client</title><p>The client."
        if self.path == "/client.json":
            kind, body = "application/json", json.dumps(DOCUMENT)
        elif self.path.split("?")[0] not in ("/", "/callback"):
            status = 404
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A browser breaks its first connection off, since it does not know the certificate."""


@contextlib.contextmanager
def served(certificate: Path) -> Iterator[None]:
    """Serves it; the key is beside the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name(f"{certificate.stem}.key.pem"))
    with _Server((ADDRESS, 443), _Site) as server:
        # In the thread of the connection, so that one that says nothing keeps nobody waiting.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
