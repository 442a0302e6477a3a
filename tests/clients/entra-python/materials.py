"""Makes what must not be committed: the daemon's certificate and the cluster's key. Run by run.py inside the environment."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

CLUSTER_KEY_ID = "cluster-1"


def _private_key(folder: Path, name: str) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{name}.key.pem"
    file.touch(mode=0o600)
    file.write_bytes(pem)
    return key


def _certificate(folder: Path, name: str) -> None:
    key = _private_key(folder, name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=400))
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    _certificate(folder, "daemon")
    # Registered nowhere, so that assertions signed with it are refused.
    _certificate(folder, "stranger")
    cluster = json.loads(RSAAlgorithm.to_jwk(_private_key(folder, "cluster").public_key()))
    jwks = {"keys": [{**cluster, "kid": CLUSTER_KEY_ID, "use": "sig"}]}
    (folder / "cluster.jwks.json").write_text(json.dumps(jwks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
