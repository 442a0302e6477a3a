"""A proxy on loopback that stands between a validator and Valet: it writes down what Valet really answered, which is what
the fuzzer is judged by, and it speaks TLS for those that cannot be told which authority to trust."""

from __future__ import annotations

import collections
import contextlib
import http.client
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Fields of one connection, which is not the other one (RFC 9110 section 7.6.1), and what is set anew.
OWN = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length", "host"}


class Witness:
    """What was seen: statuses with their counts, and why an answer never came."""

    def __init__(self, url: str, context: ssl.SSLContext, secret: str) -> None:
        self.target = urllib.parse.urlsplit(url)
        self.context = context
        self.secret = secret.encode()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.broken: list[str] = []
        # Answers that had the secret in them.
        self.leaks = 0
        self._lock = threading.Lock()

    def forward(self, method: str, path: str, fields: list[tuple[str, str]], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Sends it on, changed only where a proxy has to; gives the answer."""
        upstream = http.client.HTTPSConnection(self.target.hostname or "", self.target.port, timeout=60, context=self.context)
        with contextlib.closing(upstream):
            upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            upstream.putheader("host", self.target.netloc)
            for name, value in fields:
                if name.lower() not in OWN:
                    upstream.putheader(name, value)
            upstream.putheader("content-length", str(len(body)))
            upstream.endheaders(body)
            answer = upstream.getresponse()
            content = answer.read()
        with self._lock:
            self.statuses[answer.status] += 1
            self.leaks += self.secret in content
        return answer.status, [(n, v) for n, v in answer.getheaders() if n.lower() not in OWN], content

    def broke(self, error: Exception) -> None:
        """Valet gave no answer."""
        with self._lock:
            self.broken.append(repr(error))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    witness: Witness

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            status, fields, content = self.witness.forward(self.command, self.path, list(self.headers.items()), body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.witness.broke(error)
            status, fields, content = 502, [], b""
        self.send_response_only(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = _any

    def log_message(self, *_: object) -> None:
        """Says nothing: what matters is counted."""


@contextlib.contextmanager
def watching(url: str, context: ssl.SSLContext, secret: str) -> Iterator[tuple[str, Witness]]:
    """A proxy on a free port; its URL of the endpoint, and what it sees. `secret` must be in no answer."""
    witness = Witness(url, context, secret)
    handler = type("Handler", (_Handler,), {"witness": witness})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{witness.target.path}", witness
        finally:
            server.shutdown()
            thread.join()
