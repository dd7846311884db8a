import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.call import CallEventKind
from gateway.cli import main
from gateway.microsip.hand_over import HandOver, read_hand_over
from gateway.microsip.hand_over_conf import HandOverConf, hook_folder, write_conf


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)
        yield udp


@pytest.fixture
def conf(receiver: socket.socket, data_dir: Path) -> HandOverConf:
    return write_conf(hook_folder(data_dir), receiver.getsockname()[1])


def notify(data_dir: Path, *arguments: str) -> Result:
    environment = {"GATEWAY_DATA_DIR": str(data_dir)}
    return CliRunner(env=environment).invoke(main, ["notify-call", *arguments])


def received(receiver: socket.socket, conf: HandOverConf) -> HandOver:
    event = read_hand_over(receiver.recv(2000), conf.key, datetime.now(UTC))
    assert isinstance(event, HandOver), event
    return event


@pytest.mark.parametrize("kind", list(CallEventKind))
def test_each_event_is_handed_over(
    kind: CallEventKind, data_dir: Path, receiver: socket.socket, conf: HandOverConf
) -> None:
    result = notify(data_dir, kind.value, "--", "555")

    assert (result.exit_code, result.output) == (0, "")
    assert received(receiver, conf).kind == kind
    assert receiver.getsockname()[1] == conf.port


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        pytest.param((), "", id="none"),
        pytest.param(("--",), "", id="empty"),
        pytest.param(("--", "5 55", "6"), "5 55 6", id="spaces"),
        pytest.param(("--", "--help"), "--help", id="like an option"),
        pytest.param(("--", "--", "x"), "-- x", id="dashes"),
        pytest.param(("--", "\u00fc\U0001f600"), "\u00fc\U0001f600", id="not ASCII"),
        pytest.param(("--", "5" * 5000), "5" * 256, id="long"),
    ],
)
def test_the_user_part_is_carried_and_not_understood(
    arguments: tuple[str, ...],
    user: str,
    data_dir: Path,
    receiver: socket.socket,
    conf: HandOverConf,
) -> None:
    result = notify(data_dir, "ring", *arguments)

    assert result.exit_code == 0, result.output
    assert received(receiver, conf).user == user


def test_no_event_is_handed_over_twice_alike(
    data_dir: Path, receiver: socket.socket, conf: HandOverConf
) -> None:
    notify(data_dir, "ring", "--", "555")
    notify(data_dir, "ring", "--", "555")

    assert received(receiver, conf).nonce != received(receiver, conf).nonce


def test_without_a_gateway_it_says_how_to_start_one(data_dir: Path) -> None:
    result = notify(data_dir, "ring", "--", "555")

    assert result.exit_code == 3
    assert f"no gateway has run on {data_dir} yet" in result.stderr
    assert "sip-gateway run" in result.stderr


def test_a_gateway_that_has_stopped_is_told_from_one_that_runs(
    data_dir: Path, receiver: socket.socket, conf: HandOverConf
) -> None:
    receiver.close()

    result = notify(data_dir, "ring", "--", "555")

    assert result.exit_code == 3
    assert f"no gateway runs on {data_dir}" in result.stderr
    assert str(conf.port) not in result.stderr


@pytest.mark.usefixtures("conf")
@pytest.mark.parametrize("arguments", [(), ("explode", "--", "555"), ("RING", "--", "555")])
def test_an_unknown_event_is_wrong_usage(arguments: tuple[str, ...], data_dir: Path) -> None:
    result = notify(data_dir, *arguments)

    assert result.exit_code == 2
    assert "EVENT" in result.stderr


def test_its_help_names_every_event(data_dir: Path) -> None:
    told = " ".join(notify(data_dir, "--help").stdout.split())

    assert ", ".join(CallEventKind) in told


def test_the_data_folder_is_the_configured_one(
    tmp_path: Path, receiver: socket.socket, data_dir: Path, conf: HandOverConf
) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"data_dir = {json.dumps(str(data_dir))}\n")
    environment = {"GATEWAY_CONFIG": str(config)}

    result = CliRunner(env=environment).invoke(main, ["notify-call", "end", "--", "1"])

    assert result.exit_code == 0, result.output
    assert received(receiver, conf).kind is CallEventKind.END
