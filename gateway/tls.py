"""The files that TLS needs, read at the start: what is wrong with them is said then."""

import hashlib
import re
import ssl
from pathlib import Path

from gateway.errors import ConfigError

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def server_context(section: str, certificate: Path, private_key: Path) -> ssl.SSLContext:
    """TLS 1.2 or better with this certificate; raises ConfigError that names the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, private_key, password=_none_asked)
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        raise ConfigError(
            f"{section} tls_certificate {certificate} with tls_private_key {private_key}:"
            f" {_reason(exc)}; both are PEM files, the key belongs to the certificate and has"
            " no password"
        ) from exc
    return context


def trusting(section: str, authorities: Path) -> ssl.SSLContext:
    """For a client that trusts *authorities* alone; raises ConfigError that names the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(authorities)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"{section} {authorities}: {_reason(exc)}; it is a PEM file of certificates"
        ) from exc
    return context


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the first certificate in the file, the server's own, in hex."""
    own = _CERTIFICATE.search(certificate.read_text(encoding="ascii", errors="replace"))
    assert own is not None, "server_context read it"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(own[0])).hexdigest()


def _none_asked() -> str:
    """Without this an encrypted key would be asked for at the terminal."""
    return ""


def _reason(exc: Exception) -> str:
    return (isinstance(exc, OSError) and exc.strerror) or str(exc)
