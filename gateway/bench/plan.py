"""How much the benchmark does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes; the defaults give figures, ``QUICK`` only shows that every row still runs."""

    trial_seconds: float = 3
    """Of each rate that is tried."""
    first_rate: int = 1_000
    highest_rate: int = 16_000
    precision: float = 0.08
    """The search ends when the rates between good and bad are within this share."""
    deliveries: int = 6_000
    deliveries_one_aor: int = 1_000
    accept_rate: int = 500
    accept_seconds: float = 8
    hook_rate: int = 50
    hook_seconds: float = 10
    commands: int = 300
    history_rows: int = 2_000_000
    pages: int = 200
    starts: int = 3
    idle_seconds: float = 15


QUICK = Plan(
    trial_seconds=0.3,
    first_rate=100,
    highest_rate=200,
    precision=0.6,
    deliveries=40,
    deliveries_one_aor=5,
    accept_rate=50,
    accept_seconds=0.3,
    hook_seconds=0.2,
    commands=3,
    history_rows=2_000,
    pages=3,
    starts=1,
    idle_seconds=0.5,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every row is given."""

    plan: Plan
    folder: Path
    """Empty or not there yet; the databases are in it, so that its disk is measured."""
    environment: Mapping[str, str] = field(repr=False)
    """Of the gateways that are started."""
    say: Callable[[str], None]
    """Gets what is going on."""
    postgresql: str = field(default="", repr=False)
    """URL of a server whose user may create databases; else one is started."""
