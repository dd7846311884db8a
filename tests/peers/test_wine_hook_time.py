"""How long MicroSIP waits for the hook program; printed, for the reader to judge."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.microsip.hand_over_conf import write_conf
from tests.peers.wine import windows_path
from tests.peers.wine_hook import EMPTY, MEASURING, NAME, Receiver
from tests.peers.wine_steering import SteeredPeer

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(180)]

PROGRAMS = (EMPTY, NAME, MEASURING)
ROUNDS = 100


def test_its_time_is_printed_beside_an_empty_programs(
    hook_programs: Path, receiver: Receiver, program_runner: SteeredPeer
) -> None:
    conf = write_conf(hook_programs, receiver.port)
    lines = [f'"{windows_path(hook_programs / name)}" ring -- 555' for name in PROGRAMS]

    for _ in range(ROUNDS):
        program_runner.order("compare", command_lines=lines)
    took = program_runner.reports("took")

    taken = {receiver.event(conf).nonce for _ in range(2 * ROUNDS)}
    empty, whole, measured = ([run for run in took if run["number"] == n] for n in range(3))
    table = {
        "empty program, whole process": [run["milliseconds"] for run in empty],
        "hook program, whole process": [run["milliseconds"] for run in whole],
        "hook program, its own work": [run["code"] / 1000 for run in measured],
    }
    for name, milliseconds in table.items():
        print(f"| {name} | {row(milliseconds)} |")  # noqa: T201  for the reader
    ratio = statistics.median(
        of_hook["milliseconds"] / of_empty["milliseconds"]
        for of_hook, of_empty in zip(whole, empty, strict=True)
    )
    print(f"hook program / empty program: {ratio:.2f}")  # noqa: T201
    assert len(taken) == 2 * ROUNDS
    assert {run["code"] for run in empty + whole} == {0}


def row(milliseconds: Sequence[float]) -> str:
    centiles = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return f"p50 {centiles[49]:.1f} ms | p99 {centiles[98]:.1f} ms"
