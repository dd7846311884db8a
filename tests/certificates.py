"""Certificates that tests make for themselves, with openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files."""

    certificate: Path
    private_key: Path


class Authority:
    """Signs certificates for servers on this machine, with the names it is told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._own = self._make("authority", "-addext", "basicConstraints=critical,CA:TRUE")

    @property
    def certificate(self) -> Path:
        """What those who trust it are given."""
        return self._own.certificate

    def issue(self, *names: str) -> Certificate:
        """For host names and IPv4 addresses."""
        kinds = ("IP" if name.replace(".", "").isdigit() else "DNS" for name in names)
        listed = ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names, strict=True))
        return self._make(
            names[0],
            *("-CA", str(self._own.certificate), "-CAkey", str(self._own.private_key)),
            *("-addext", f"subjectAltName={listed}", "-addext", "basicConstraints=CA:FALSE"),
        )

    def _make(self, name: str, *options: str) -> Certificate:
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", f"/CN={name}", "-out", str(made.certificate)),
                *("-keyout", str(made.private_key), *options),
            ],
            check=True,
            capture_output=True,
        )
        return made
