"""Certificates and keys for a run of the tests, as files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates; `file` holds its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self._issued = 0
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, *names: str, not_after: datetime | None = None) -> Identity:
        """A certificate for these host names and addresses."""
        issued = self._ca.issue_cert(*names, not_after=not_after)
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        return self._write(chain, issued.private_key_pem.bytes())

    def self_signed(self, name: str) -> Identity:
        """A certificate without an authority: it vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        today = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
            .add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self._write(certificate.public_bytes(pem), key.private_bytes(pem, form, none))

    def _write(self, certificate: bytes, key: bytes) -> Identity:
        self._issued += 1
        folder = self._folder / str(self._issued)
        folder.mkdir()
        identity = Identity(folder / "certificate.pem", folder / "key.pem")
        identity.certificate.write_bytes(certificate)
        identity.key.write_bytes(key)
        return identity
