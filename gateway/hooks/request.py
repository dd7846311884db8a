"""An inbound webhook as it came in, with what is answered to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.hook_delivery import HookReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """The request to ``/v1/hooks/{key}``; *body* is what was signed, byte for byte."""

    body: bytes
    content_type: str = ""
    headers: Sequence[tuple[str, str]] = ()

    def header(self, name: str) -> str:
        """The first of that name in any case; empty when absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is committed, or was before."""

    receipt: HookReceipt


class Reason(StrEnum):
    """Why a webhook is not accepted, by its code in problem documents."""

    UNKNOWN_KEY = "not_found"
    SIGNATURE = "signature_invalid"
    TIMESTAMP = "timestamp_skew"
    RATE = "rate_limited"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was stored; *detail* tells the sender what to change."""

    reason: Reason
    detail: str


HookAnswer = Accepted | Rejected
