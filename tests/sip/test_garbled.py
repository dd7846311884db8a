"""An engine that lost its mind is ended, and started again."""

import asyncio
import sys
from asyncio.subprocess import PIPE

import pytest

from gateway.sip.engine_process import EngineProcess
from gateway.sip.wire import Journalled, Stop, encode

_SAYS = "import sys, time; sys.stdout.buffer.write({!r}); sys.stdout.flush(); time.sleep(60)"


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xfe\n", b"{}\n", b"[" * 60_000 + b"\n", b"x" * 100_000, encode(Stop(1.0))],
    ids=["no text", "no frame", "too deep", "no end", "a command"],
)
async def test_what_is_no_report_ends_the_engine(
    caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    program = _SAYS.format(encode(Journalled()) + garbage)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=PIPE, stdout=PIPE
    )
    engine = EngineProcess(process)

    reports = [report async for report in engine.reports()]
    code = await engine.end()

    assert reports == [Journalled()]
    assert code != 0
    assert "the SIP engine is ended: it wrote" in caplog.text
