"""Bearer tokens, by which clients of the REST interface are known."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, without its secret."""

    name: str
    scopes: frozenset[str]
    created_at: datetime
