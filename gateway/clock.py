"""The system's clock: UTC everywhere, local time for what people read."""

from datetime import UTC, datetime, timedelta, tzinfo


def now() -> datetime:
    return datetime.now(UTC)


class LocalZone(tzinfo):
    """The zone this machine is set to, summer time at each moment included."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        naive = (moment or datetime.now(UTC)).replace(tzinfo=None)
        return naive.astimezone().utcoffset() or timedelta()

    def dst(self, moment: datetime | None) -> timedelta:  # noqa: ARG002  tzinfo's signature
        return timedelta()

    def tzname(self, moment: datetime | None) -> str:
        naive = (moment or datetime.now(UTC)).replace(tzinfo=None)
        return naive.astimezone().tzname() or "local"

    def fromutc(self, moment: datetime) -> datetime:
        local = moment.replace(tzinfo=UTC).astimezone()
        return local.replace(tzinfo=self)
