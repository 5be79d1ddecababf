"""Certificates and keys for a run of the tests, as files."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trustme


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
        self._issued += 1
        issued = self._ca.issue_cert(*names, not_after=not_after)
        folder = self._folder / str(self._issued)
        folder.mkdir()
        identity = Identity(folder / "certificate.pem", folder / "key.pem")
        identity.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(identity.key))
        return identity
