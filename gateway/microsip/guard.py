"""The guard on dialling, the same for every way in."""

from datetime import timedelta

from gateway.config import Phone
from gateway.numbers import NumberRules
from gateway.phone import DIALLING, PhoneRequest
from gateway.ports import Clock, CommandLog

HOUR = timedelta(hours=1)


class DialGuard:
    """Which numbers may be dialled, and how often in an hour.

    A bot that dials is a toll-fraud machine when a sender is forged or a token is stolen.
    """

    def __init__(
        self, *, rules: NumberRules, phone: Phone, command_log: CommandLog, clock: Clock
    ) -> None:
        self._rules = rules
        self._phone = phone
        self._log = command_log
        self._clock = clock

    async def refusal(self, request: PhoneRequest) -> str:
        """Why *request* may not be carried out, and what to do; empty when it may.

        Asked before the request is in the audit: there it is a call of this hour itself.
        """
        if request.command.verb not in DIALLING:
            return ""
        return self.refusal_of(request.command.argument) or await self._too_many(
            request.caller.who
        )

    def refusal_of(self, number: str) -> str:
        """Why *number* may not be reached; empty when it may."""
        return self._rules.refusal(number)

    async def _too_many(self, who: str) -> str:
        since = self._clock() - HOUR
        limits = (
            ("", "calls_per_hour", self._phone.calls_per_hour, None),
            (" of yours", "sender_calls_per_hour", self._phone.sender_calls_per_hour, who),
        )
        for whose, key, allowed, sender in limits:
            dialled = await self._log.dialled_since(since, who=sender)
            if dialled >= allowed:
                return (
                    f"{dialled} calls{whose} in the last hour; [phone] {key} allows"
                    f" {allowed}: try again later"
                )
        return ""
