"""Secrets that only the storage's own parts know, so that they serve each other and nobody else on the machine.

Every port of SeaweedFS except the S3 port requires a certificate, and its HTTP servers also require a token. Both are
generated for each process, since no other process needs them.
"""

import ipaddress
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .data_folder import write_secret

TOKENS = ("JWT_SIGNING_KEY", "JWT_SIGNING_READ_KEY", "JWT_FILER_SIGNING_KEY", "JWT_FILER_SIGNING_READ_KEY")
GRPC = ("VOLUME", "MASTER", "FILER", "S3", "MSG_BROKER", "MSG_AGENT", "ADMIN", "WORKER", "MQ", "CLIENT")
HTTPS = ("VOLUME", "MASTER", "FILER", "ADMIN", "CLIENT")
LIFE = timedelta(days=3650)


def private_environment(folder: Path) -> dict[str, str]:
    """Generate a certificate and tokens, and return the variables by which the storage finds them."""
    certificate, key = make_certificate()
    files = {"CA": folder / "storage.crt", "CERT": folder / "storage.crt", "KEY": folder / "storage.key"}
    write_secret(files["CERT"], certificate)
    write_secret(files["KEY"], key)
    known = {name: secrets.token_urlsafe(32) for name in TOKENS}
    known |= {f"GRPC_{part}_{name}": str(files[name]) for part in GRPC for name in ("CERT", "KEY")}
    known |= {f"HTTPS_{part}_{name}": str(file) for part in HTTPS for name, file in files.items()}
    known |= {"GRPC_CA": str(files["CA"]), "HTTPS_CLIENT_ENABLED": "true"}
    return {f"WEED_{name}": value for name, value in known.items()}


def make_certificate() -> tuple[bytes, bytes]:
    """Generate a self-signed certificate for this machine and its key, both as PEM."""
    from cryptography import x509  # slow to load, and not needed for a storage that is adopted
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Parley's storage")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return certificate.public_bytes(pem), key.private_bytes(pem, pkcs8, plain)
