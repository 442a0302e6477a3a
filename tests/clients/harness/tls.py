"""TLS that trusts the given certificates and nothing else, as strictly as Python 3.13 does by default."""

from __future__ import annotations

import ssl


def trusting(files: list[str]) -> ssl.SSLContext:
    """A client's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for file in files:
        context.load_verify_locations(cafile=file)
    return context
