"""How long a copy takes."""

import time

import pytest

from gateway.store.copying import DatabaseCopy
from tests.copying.conftest import MakeUrl
from tests.copying.databases import opened
from tests.copying.every_table import fill_messages

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("postgresql")]

MANY = 100_000


async def test_many_messages_arrive_at_postgresql(
    new_url: MakeUrl, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        opened(new_url("sqlite"), upgraded=True) as source,
        opened(new_url("postgresql")) as target,
    ):
        await fill_messages(source, MANY)

        began = time.monotonic()
        report = await DatabaseCopy(source=source, target=target, progress=lambda _: None).run()
        took = time.monotonic() - began

        assert report.is_equal
        assert report.rows == MANY
        with capsys.disabled():
            print(f"\n{MANY} messages to PostgreSQL: {took:.1f} s, {MANY / took:.0f}/s")  # noqa: T201
