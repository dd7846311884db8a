"""PJSIP's transports: opened as configured, or refused with the reason."""

import errno
import socket
from collections import deque
from dataclasses import dataclass
from ipaddress import ip_address

import pjsua2 as pj

from gateway.sip.account import Event, Untrusted
from gateway.sip.wire import Cause, Listener, Open, Tls

HANDSHAKE_MS = 5_000
"""Else who connects and says nothing would keep one of the 64 handles that PJSIP has."""

WAITING_BYTES = 1 << 20
"""How much may wait at the UDP port while the engine is busy: a third of a second of 5,000
requests a second. The usual 208 KB hold some 30 ms; what is lost comes again after 500 ms."""

_KINDS = {
    "UDP": pj.PJSIP_TRANSPORT_UDP,
    "TCP": pj.PJSIP_TRANSPORT_TCP,
    "TLS": pj.PJSIP_TRANSPORT_TLS,
}
_OS_ERROR = 120_000  # PJ_ERRNO_START_SYS
_ADDRESS_IN_USE = {_OS_ERROR + errno.EADDRINUSE, _OS_ERROR + 10048}  # and WSAEADDRINUSE
_UNSUPPORTED = 171_060  # PJSIP_EUNSUPTRANSPORT

# ECDHE-{RSA,ECDSA}-AES{128,256}-GCM (RFC 5289): what TLS 1.2 has without known weakness. None
# goes without a certificate, in which case PJSIP would not check whose it is.
_CIPHERS = (0xC02F, 0xC030, 0xC02B, 0xC02C)


class OpenError(Exception):
    """A transport or an account cannot be opened."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Failure:
    """What PJSIP says of a transport that it did not open."""

    status: int
    reason: str


class SipEndpoint(pj.Endpoint):
    """Tells why the certificate of a server was not accepted."""

    def __init__(self, events: deque[Event]) -> None:
        super().__init__()
        self._events = events

    def onSelectAccount(self, prm: pj.OnSelectAccountParam) -> None:
        """PJSIP's choice stands. Its own method says the same, and takes longer to get to."""

    def onTransportState(self, prm: pj.OnTransportStateParam) -> None:
        tls = prm.tlsInfo
        if prm.state == pj.PJSIP_TP_STATE_DISCONNECTED and tls.verifyStatus:
            self._events.append(Untrusted(tls.remoteAddr, "; ".join(tls.verifyMsgs)))


def listen(endpoint: pj.Endpoint, listener: Listener, settings: Open) -> Listener:
    """Open it; the port is the real one then. Raises OpenError."""
    configuration = pj.TransportConfig()
    configuration.port = listener.port
    if not ip_address(settings.bind).is_unspecified:
        configuration.boundAddress = settings.bind
    if listener.transport == "UDP":
        _let_wait(configuration.sockOptParams)
    try:
        if listener.transport == "TLS":
            assert settings.tls is not None
            _secure(configuration.tlsConfig, settings.tls)
            _try_to_bind(settings.bind, listener.port)
        transport = endpoint.transportCreate(_KINDS[listener.transport], configuration)
    except OSError as exc:
        failure = _Failure(_OS_ERROR + (exc.errno or 0), exc.strerror or "")
        raise _open_error(listener, settings.bind, failure) from exc
    except pj.Error as exc:
        failure = _Failure(exc.status, exc.reason)
        raise _open_error(listener, settings.bind, failure) from exc
    address = endpoint.transportGetInfo(transport).localAddress
    return Listener(listener.transport, int(address.rpartition(":")[2]))


def _let_wait(options: pj.SockOptParams) -> None:
    """As much as the system allows, which may be less (on Linux: net.core.rmem_max)."""
    buffer = pj.SockOpt()
    buffer.level = socket.SOL_SOCKET
    buffer.optName = socket.SO_RCVBUF
    buffer.setOptValInt(WAITING_BYTES)
    options.sockOpts.append(buffer)


def _try_to_bind(bind: str, port: int) -> None:
    """Raises OSError as PJSIP should: it opens TLS on a port that is taken, so it says."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PJSIP does
        probe.bind((bind, port))


def _secure(configuration: pj.TlsConfig, tls: Tls) -> None:
    configuration.certFile = tls.certificate
    configuration.privKeyFile = tls.private_key
    configuration.CaListFile = tls.authorities
    configuration.verifyServer = True
    configuration.msecTimeout = HANDSHAKE_MS
    # The OpenSSL inside the wheel knows nothing newer; left alone it takes TLS 1.0 too.
    configuration.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2
    for cipher in _CIPHERS:
        configuration.ciphers.append(cipher)


def _open_error(listener: Listener, bind: str, failure: _Failure) -> OpenError:
    key = f"[sip] {listener.transport.lower()}_port"
    if failure.status in _ADDRESS_IN_USE:
        return OpenError(
            Cause.PORT_TAKEN,
            f"{listener.transport} port {listener.port} is taken by another program:"
            f" end it, or set {key} to a free port (0: any)",
        )
    if failure.status == _UNSUPPORTED:
        return OpenError(
            Cause.SETTINGS,
            f"the SIP library for this system was built without {listener.transport}: leave"
            f" {key} out and use UDP or TCP inside a VPN, or run the gateway on Linux",
        )
    return OpenError(
        Cause.SETTINGS,
        f"cannot open {listener.transport} port {listener.port} on {bind}: {failure.reason};"
        f" check [sip] bind and {key}",
    )
