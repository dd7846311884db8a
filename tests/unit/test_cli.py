import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.config import Phone
from tests.webhook_receiver import SECRET as WEBHOOK_SECRET


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(f"data_dir = {json.dumps(str(tmp_path / 'data'))}\n")
    (tmp_path / "data").mkdir()
    return str(path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_token_is_printed_once_and_alone(config: str) -> None:
    created = run("token", "create", "crm", "--scope", "messages:send", "--config", config)
    listed = run("token", "list", "--json", "--config", config)

    assert created.exit_code == 0
    assert created.stdout.count("\n") == 1
    assert created.stdout.strip() not in listed.stdout
    assert json.loads(listed.stdout)[0]["scopes"] == ["messages:send"]


def test_a_token_name_is_taken_once(config: str) -> None:
    run("token", "create", "crm", "--scope", "admin", "--config", config)

    again = run("token", "create", "crm", "--scope", "admin", "--config", config)

    assert again.exit_code == 1
    assert "crm" in again.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("", "1 to 64 of A-Z a-z 0-9 _ . -", id="nameless"),
        pytest.param("a b", "1 to 64 of A-Z a-z 0-9 _ . -", id="space"),
        pytest.param("crm\n", "1 to 64 of A-Z a-z 0-9 _ . -", id="line end"),
        pytest.param("\u0663", "1 to 64 of A-Z a-z 0-9 _ . -", id="other digits"),
        pytest.param("a" * 65, "1 to 64 of A-Z a-z 0-9 _ . -", id="long"),
        pytest.param("cli", "the gateway's own", id="reserved"),
    ],
)
def test_a_token_without_a_proper_name_is_not_made(config: str, name: str, told: str) -> None:
    result = run("token", "create", name, "--scope", "admin", "--config", config)
    listed = run("token", "list", "--json", "--config", config)

    assert result.exit_code == 2
    assert told in result.stderr
    assert json.loads(listed.stdout) == []


def test_a_tokens_time_is_written_as_over_rest(config: str) -> None:
    run("token", "create", "crm", "--scope", "admin", "--config", config)

    listed = run("token", "list", "--json", "--config", config)

    written = json.loads(listed.stdout)[0]["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)


def test_a_revoked_token_is_gone(config: str) -> None:
    run("token", "create", "crm", "--scope", "admin", "--config", config)

    first = run("token", "revoke", "crm", "--config", config)
    second = run("token", "revoke", "crm", "--config", config)

    assert (first.exit_code, second.exit_code) == (0, 1)


def test_an_unknown_scope_is_wrong_usage(config: str) -> None:
    result = run("token", "create", "x", "--scope", "everything", "--config", config)

    assert result.exit_code == 2
    assert "messages:send" in result.stderr


def test_db_status_tells_when_an_upgrade_is_due(config: str) -> None:
    before = run("db", "status", "--config", config)
    upgraded = run("db", "upgrade", "--config", config)
    after = run("db", "status", "--config", config)

    assert (before.exit_code, upgraded.exit_code, after.exit_code) == (1, 0, 0)
    assert "sip-gateway db upgrade" in before.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("send", "101", "hello"), id="send"),
        pytest.param(("history",), id="history"),
        pytest.param(("phone", "status"), id="phone"),
    ],
)
def test_without_a_gateway_it_says_how_to_start_one(
    config: str, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments, "--config", config)

    assert result.exit_code == 3
    assert "sip-gateway run" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("phone", "dail", "1"), "there is no verb", id="unknown"),
        pytest.param(("phone", "dial"), "type: dial 1002", id="no-number"),
        pytest.param(("phone", "volume", "101"), "0 to 100", id="too-loud"),
        pytest.param(("phone", "dial", '1001")][Close("'), "dial takes", id="hostile"),
        pytest.param(("phone", "device", "x"), "device input 3", id="device"),
        pytest.param(("phone", "close"), "must be confirmed: add --yes", id="no-terminal"),
        pytest.param(
            ("phone", "device", "input", "3"), "device must be confirmed", id="unconfirmed"
        ),
    ],
)
def test_a_bad_phone_command_is_refused_before_the_gateway_is_asked(
    config: str, arguments: tuple[str, ...], told: str
) -> None:
    result = run(*arguments, "--config", config)

    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("1002", "see /account:2"), "/account:", id="switch"),
        pytest.param(("eva", "hello"), "type: send as:me 1002", id="no number"),
        pytest.param(("1002", "hello", "--wait", "5"), "leave out --wait", id="wait"),
    ],
)
def test_a_bad_message_for_microsip_is_refused_before_the_gateway_is_asked(
    config: str, arguments: tuple[str, ...], told: str
) -> None:
    result = run("send", "--as-me", *arguments, "--config", config)

    assert result.exit_code == 2
    assert told in result.stderr


def test_config_check_names_the_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[http]\nprt = 1\n")

    result = run("config", "check", "--config", str(path))

    assert result.exit_code == 2
    assert "did you mean port" in result.stderr


def test_config_show_is_what_config_show_json_says(config: str) -> None:
    shown = run("config", "show", "--config", config)
    machine = run("config", "show", "--json", "--config", config)

    assert f"http.port = {json.loads(machine.stdout)['http']['port']}" in shown.stdout


def test_init_writes_what_config_check_accepts(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"

    written = run(
        "init", "--registrar", "sip:pbx.example", "--extension", "101", "--output", str(path)
    )
    checked = run("config", "check", "--config", str(path))

    assert (written.exit_code, checked.exit_code) == (0, 0), written.output + checked.output
    assert "sip:101@pbx.example" in path.read_text()


@pytest.mark.parametrize(
    ("extension", "who"),
    [
        pytest.param("101", "sip:101@pbx.example", id="user part"),
        pytest.param("101@Other.Example", "sip:101@other.example", id="with host"),
        pytest.param("sip:101@pbx.example;transport=tcp", "sip:101@pbx.example", id="URI"),
    ],
)
def test_init_writes_the_rule_for_the_address_of_record(
    tmp_path: Path, extension: str, who: str
) -> None:
    path = tmp_path / "gateway.toml"
    options = ("--domain", "pbx.example", "--output", str(path))

    result = run("init", "--extension", extension, *options)

    assert result.exit_code == 0, result.output
    assert f'who = ["{who}"]' in path.read_text()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        pytest.param("--extension", "1 2", "type --extension 101", id="extension"),
        pytest.param("--extension", "", "type --extension 101", id="no extension"),
        pytest.param("--extension", "tel:101", "type --extension 101", id="not SIP"),
        pytest.param("--user", "a b", "type --user bot", id="user"),
        pytest.param("--user", "../bot", "type --user bot", id="user that is a path"),
        pytest.param("--domain", "a b", "must be like office.example", id="domain"),
    ],
)
def test_init_writes_nothing_when_an_address_is_wrong(
    tmp_path: Path, option: str, value: str, told: str
) -> None:
    path = tmp_path / "gateway.toml"

    result = run("init", option, value, "--output", str(path))

    assert result.exit_code == 2
    assert told in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_names_every_driver(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"

    run("init", "--output", str(path))

    drivers = " | ".join(get_args(Phone.model_fields["driver"].annotation))
    assert f"# {drivers}\n" in path.read_text()


def test_init_does_not_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("# mine\n")

    result = run("init", "--output", str(path))

    assert result.exit_code == 2
    assert path.read_text() == "# mine\n"


def test_init_takes_registrar_and_domain_from_microsip(tmp_path: Path) -> None:
    ini = tmp_path / "microsip.ini"
    text = (
        "[Settings]\r\naccountId=2\r\n[Account1]\r\nserver=other\r\n"
        "[Account2]\r\nlabel=100%\r\nserver=10.0.0.5\r\ndomain=office.example\r\nusername=101\r\n"
    )
    ini.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    path = tmp_path / "gateway.toml"

    result = run("init", "--ini", str(ini), "--output", str(path), "--user", "199")

    assert result.exit_code == 0, result.output
    assert 'registrar = "sip:10.0.0.5"' in path.read_text()
    assert 'uri = "sip:199@office.example"' in path.read_text()
    assert 'name = "199"' in path.read_text()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"\xff\xfe[\x00", "no [Account1]", id="broken"),
        pytest.param(b"[Settings]\naccountId=1\n", "no [Account1]", id="no-account"),
        pytest.param(b"[Account1]\nlabel=x\n", "neither server nor domain", id="no-server"),
    ],
)
def test_init_says_what_is_wrong_with_microsips_file(
    tmp_path: Path, content: bytes, told: str
) -> None:
    ini = tmp_path / "microsip.ini"
    ini.write_bytes(content)

    result = run("init", "--ini", str(ini), "--output", str(tmp_path / "gateway.toml"))

    assert result.exit_code == 2
    assert told in result.stderr


def test_doctor_fails_on_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = tmp_path / "gateway.toml"
    config.write_text(f"data_dir = {json.dumps(str(tmp_path / 'file'))}\n")

    result = run("doctor", "--json", "--config", str(config))

    found = {row["part"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["data folder"]["grade"] == "fail"
    assert "data_dir" in found["data folder"]["detail"]


def test_doctor_names_the_port_that_is_taken(config: str, taken_port: int) -> None:
    Path(config).write_text(
        Path(config).read_text()
        + f"[http]\nport = {taken_port}\n[sip]\nudp_port = 0\ntcp_port = 0\n"
    )

    result = run("doctor", "--config", config)

    assert result.exit_code == 1
    assert f"fail  HTTP                     127.0.0.1:{taken_port}" in result.stdout
    assert "[http] port" in result.stdout


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ('[sip]\ntls_port = 0\ntls_ca = "absent.pem"\n', "SIP tls_ca"),
        (
            '[http]\ntls_certificate = "absent.pem"\ntls_private_key = "absent.key"\n',
            "HTTP tls_certificate",
        ),
    ],
    ids=["sip", "https"],
)
def test_doctor_fails_on_a_tls_file_that_cannot_be_read(
    config: str, settings: str, part: str
) -> None:
    with Path(config).open("a") as file:
        file.write(settings)

    result = run("doctor", "--json", "--config", config)

    found = {one["part"]: one for one in json.loads(result.stdout)}
    assert found[part]["grade"] == "fail"
    assert "absent.pem" in found[part]["detail"]


def test_doctor_has_a_line_for_each_webhook_endpoint(config: str) -> None:
    with Path(config).open("a") as file:
        file.write(
            f'[[webhooks.endpoints]]\nurl = "https://10.0.0.7/"\nsecret = "{WEBHOOK_SECRET}"\n'
        )

    result = run("doctor", "--json", "--config", config)

    [line] = [one for one in json.loads(result.stdout) if one["part"].startswith("webhooks")]
    assert line["grade"] == "fail"
    assert "private_networks = true" in line["detail"]
