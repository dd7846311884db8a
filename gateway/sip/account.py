"""PJSIP accounts: callbacks become plain values, in the order they came."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import pjsua2 as pj

from gateway.sip.wire import EngineAccount, Registration, Send

PROBE_SECONDS = 4
"""How often a registrar that is away is asked again."""
MAX_BUDDIES = 200
"""PJSIP is compiled for 255, and aborts beyond."""


@dataclass(frozen=True, slots=True)
class Pager:
    """A MESSAGE came in, or an im-iscomposing in one."""

    whole_message: str


@dataclass(frozen=True, slots=True)
class Final:
    """The final response to the MESSAGE sent with *token*."""

    token: int
    status_code: int
    reason_phrase: str
    whole_message: str
    """Of a failure; empty when PJSIP made it up."""


@dataclass(frozen=True, slots=True)
class Untrusted:
    """The certificate of a server was not accepted; the connection is closed."""

    address: str
    reason: str


Event = Pager | Final | Registration | Untrusted


class SipAccount(pj.Account):
    """Copies what a callback brings, since PJSIP frees it on return, and queues it.

    It holds nothing that leads back to it: a pj object in a cycle could be collected on
    another thread, which ends the process.
    """

    def __init__(
        self, settings: EngineAccount, events: deque[Event], wants_whole: Callable[[], bool]
    ) -> None:
        """*wants_whole*: whether anybody has a use for a Pager."""
        super().__init__()
        self.settings = settings
        self._events = events
        self._wants_whole = wants_whole
        self._incoming: list[pj.Call] = []
        self._refused: list[pj.Call] = []

    def open(self) -> None:
        """Raises pj.Error."""
        self.create(_configuration(self.settings))

    def onInstantMessage(self, prm: pj.OnInstantMessageParam) -> None:
        if self._wants_whole():
            self._events.append(Pager(prm.rdata.wholeMsg))

    def onTypingIndication(self, prm: pj.OnTypingIndicationParam) -> None:
        if self._wants_whole():
            self._events.append(Pager(prm.rdata.wholeMsg))

    def onInstantMessageStatus(self, prm: pj.OnInstantMessageStatusParam) -> None:
        code = prm.code
        whole_message = "" if code // 100 == 2 else prm.rdata.wholeMsg
        self._events.append(Final(int(prm.userData), code, prm.reason, whole_message))

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        self._events.append(
            Registration(
                account=self.settings.name,
                registered=prm.code // 100 == 2 and prm.expiration > 0,
                status_code=prm.code,
                reason_phrase=prm.reason,
            )
        )

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        # Answered after the callback: within it, an INVITE without SDP ends the process.
        self._incoming.append(pj.Call(self, prm.callId))

    def onIncomingSubscribe(self, prm: pj.OnIncomingSubscribeParam) -> None:
        # PJSIP's presence server has a use after free; the gateway has no presence.
        prm.code = pj.PJSIP_SC_BAD_EVENT
        prm.reason = "Bad Event"

    def refuse_calls(self) -> None:
        """488, never a 6xx, which would end the fork that rings the phone beside us."""
        if not self._incoming and not self._refused:
            return
        answer = pj.CallOpParam()
        answer.statusCode = pj.PJSIP_SC_NOT_ACCEPTABLE_HERE
        for call in self._incoming:
            try:
                call.answer(answer)
            except pj.Error:
                continue  # canceled meanwhile
        # Dropping one that is not over yet would answer it 603.
        self._refused = [c for c in self._refused + self._incoming if c.isActive()]
        self._incoming = []

    def register_now(self, *, renew: bool = True) -> None:
        """Send a REGISTER, or one that unregisters, unless one is under way."""
        try:
            self.setRegistration(renew)
        except pj.Error:
            return


class BuddyPool:
    """What PJSIP sends through; unlike Account.sendRequest, a Buddy answers a 401 or 407."""

    def __init__(self) -> None:
        self._buddies: OrderedDict[tuple[str, str], pj.Buddy] = OrderedDict()

    def send(self, account: SipAccount, request: Send) -> pj.IntVector:
        """Returns the token of its final response, to be kept alive; raises pj.Error."""
        token = pj.IntVector()
        parameters = pj.SendInstantMessageParam()
        parameters.contentType = request.content_type
        parameters.content = request.body
        parameters.userData = token
        if request.target != request.to_uri:
            parameters.txOption.targetUri = request.target
        self._buddy(account, request.to_uri).sendInstantMessage(parameters)
        return token

    def clear(self) -> None:
        self._buddies.clear()

    def _buddy(self, account: SipAccount, uri: str) -> pj.Buddy:
        key = (account.settings.name, uri)
        if key in self._buddies:
            self._buddies.move_to_end(key)
            return self._buddies[key]
        if len(self._buddies) >= MAX_BUDDIES:
            self._buddies.popitem(last=False)
        configuration = pj.BuddyConfig()
        configuration.uri = f"<{uri}>"
        configuration.subscribe = False
        buddy = pj.Buddy()
        buddy.create(account, configuration)
        self._buddies[key] = buddy
        return buddy


def _configuration(settings: EngineAccount) -> pj.AccountConfig:
    configuration = pj.AccountConfig()
    configuration.idUri = f"<{settings.uri}>"
    configuration.sipConfig.contactUriParams = settings.contact_parameters
    if settings.proxy:
        configuration.sipConfig.proxies.append(f"<{settings.proxy}>")
    if settings.username:
        configuration.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", settings.username, 0, settings.password)
        )
    registration = configuration.regConfig
    if settings.registrar:
        registration.registrarUri = settings.registrar
        registration.timeoutSec = settings.expires
        registration.firstRetryIntervalSec = PROBE_SECONDS
        registration.retryIntervalSec = PROBE_SECONDS
        registration.randomRetryIntervalSec = 1
    return configuration
