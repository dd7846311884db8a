from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import format_duration, parse_duration
from gateway.config_file import find_file, load, masked
from gateway.errors import ConfigError

ABSOLUTE = Path(__file__).with_suffix(".pem")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold() -> None:
    settings = load(None, {})

    assert (settings.sip.udp_port, settings.http.port) == (5070, 8765)
    assert settings.auto_upgrade
    assert settings.database_url.startswith("sqlite+aiosqlite:///")


def test_environment_goes_above_the_file_and_the_command_line_above_both(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, '[http]\nport = 1\nhost = "localhost"\n[sip]\nudp_port = 1\n')
    environ = {"GATEWAY_HTTP__PORT": "2", "GATEWAY_SIP__UDP_PORT": "2"}

    settings = load(path, environ, {"sip": {"udp_port": 3}})

    assert (settings.http.host, settings.http.port) == ("localhost", 2)
    assert settings.sip.udp_port == 3


def test_lists_in_the_environment_are_json() -> None:
    settings = load(None, {"GATEWAY_PHONE__DENY_NUMBERS": '["1*"]'})

    assert settings.phone.deny_numbers == ("1*",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[sip]\nudp_prt = 1", ["sip.udp_prt", "did you mean udp_port"], id="key"),
        pytest.param("[spi]\n", ["spi", "did you mean sip"], id="section"),
        pytest.param('[chat]\ncommand_max_age = "1"', ['"60s"'], id="duration"),
        pytest.param("[http]\nport = 70000", ["http.port", "65535"], id="range"),
        pytest.param("[sip]\ntls_port = 5061", ["sip", "needs tls_ca"], id="tls-of-nobody"),
        pytest.param(
            '[http]\ntls_certificate = "a.pem"', ["http", "tls_private_key"], id="half-of-tls"
        ),
        pytest.param(
            '[[sip.accounts]]\nname = "a"\nuri = "sip:a@x"\nusername = "a"\n'
            'registrar = "sips:x"',
            ["account a", "set tls_port"],
            id="tls-without-a-port",
        ),
        pytest.param(
            '[http]\nallowed_hosts = ["https://x"]', ["without a port"], id="host-name"
        ),
        pytest.param(
            '[[sip.accounts]]\nname = "a"\nuri = "bot@x"', ["not a SIP URI"], id="uri"
        ),
        pytest.param(
            '[[sip.accounts]]\nname = "a"\nuri = "sip:a@x"\nregistrar = "sip:x"',
            ["needs username"],
            id="no-username",
        ),
        pytest.param(
            '[[sip.accounts]]\nname = "a"\nuri = "sip:a@x"\n'
            '[[sip.accounts]]\nname = "a"\nuri = "sip:b@x"',
            ["'a' is there twice"],
            id="name-twice",
        ),
        pytest.param('[limits]\nhook = "many"', ['"2/20"'], id="limit"),
        pytest.param('[sip]\ntrusted_sources = ["a b"]', ["10.0.0.0/24"], id="source"),
        pytest.param(
            '[phone]\ndeny_numbers = "00*"', ["phone.deny_numbers", '["..."]'], id="list"
        ),
        pytest.param("[sip\n", ["is not valid TOML"], id="toml"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(
    tmp_path: Path, text: str, told: list[str]
) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load(path, {})

    assert str(path) in str(caught.value)
    assert all(part in str(caught.value) for part in told)


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"GATEWAY_HTTP__PRT.*did you mean port"):
        load(None, {"GATEWAY_HTTP__PRT": "1"})


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        pytest.param({"GATEWAY_HTP__PORT": "1"}, "GATEWAY_HTP__PORT: htp: ", id="section"),
        pytest.param({"Gateway_Http__Prt": "1"}, "Gateway_Http__Prt: http.prt: ", id="case"),
        pytest.param(
            {"GATEWAY_HTP__PORT": "1", "GATEWAY_HTP__HOST": "x", "GATEWAY_HTTP__PORT": "1"},
            "GATEWAY_HTP__PORT, GATEWAY_HTP__HOST: htp: ",
            id="several",
        ),
        pytest.param(
            {"GATEWAY_SIP__ACCOUNTS": '[{"name": "a", "uri": "bot"}]'},
            "GATEWAY_SIP__ACCOUNTS: sip.accounts[1].uri: ",
            id="JSON",
        ),
        pytest.param(
            {"GATEWAY_HTTP": '{"port": "many"}'}, "GATEWAY_HTTP: http.port: ", id="object"
        ),
        pytest.param({"GATEWAY_SIP__UDP_PORT": "x"}, "GATEWAY_SIP__UDP_PORT: ", id="union"),
    ],
)
def test_a_variable_is_named_as_it_was_given(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, environ)

    assert str(caught.value).startswith(told)


def test_a_mistake_in_the_file_is_not_laid_on_a_variable_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, "[http]\nprt = 1\n")

    with pytest.raises(ConfigError) as caught:
        load(path, {"GATEWAY_HTTP": '{"port": 1}', "GATEWAY_HTTP__HOST": "localhost"})

    assert str(caught.value).startswith(f"{path}: http.prt: ")


def test_a_variable_below_one_that_is_no_section_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"GATEWAY_HTTP__PORT: GATEWAY_HTTP is set too"):
        load(None, {"GATEWAY_HTTP": "5", "GATEWAY_HTTP__PORT": "6"})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sip-gateway init"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes(b'data_dir = "\xff"')

    with pytest.raises(ConfigError, match="save it as UTF-8"):
        load(path, {})


def test_a_password_comes_from_its_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "bot.secret").write_text("geheim\n")
    path = written(
        tmp_path,
        '[[sip.accounts]]\nname = "bot"\nuri = "sip:bot@x"\nregistrar = "sip:x"\n'
        'username = "bot"\npassword_file = "bot.secret"\n'
        '[database]\nurl = "postgresql+asyncpg://me:geheim@localhost/db"\n',
    )

    settings = load(path, {})

    assert settings.sip.accounts[0].password.get_secret_value() == "geheim"
    assert "geheim" not in str(masked(settings)) + repr(settings.sip)


def test_names_of_files_are_meant_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    path = written(
        tmp_path, f'[sip]\ntls_port = 5061\ntls_ca = "ca.pem"\ntls_certificate = "{ABSOLUTE}"\n'
    )

    settings = load(path, {"GATEWAY_SIP__TLS_PRIVATE_KEY": "own.key"})

    assert settings.sip.tls_ca == tmp_path / "ca.pem"
    assert settings.sip.tls_private_key == tmp_path / "own.key"
    assert settings.sip.tls_certificate == ABSOLUTE


def test_an_empty_name_of_a_file_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, '[sip]\ntls_certificate = ""\ntls_private_key = ""\n')

    assert load(path, {}).sip.tls_certificate is None


def test_the_database_password_comes_from_its_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "database.secret").write_text("geheim\n")
    path = written(
        tmp_path,
        '[database]\nurl = "postgresql+asyncpg://me@localhost/db"\n'
        'password_file = "database.secret"\n',
    )

    settings = load(path, {})

    assert settings.database.password.get_secret_value() == "geheim"
    assert "geheim" not in str(masked(settings)) + repr(settings.database)


def test_a_missing_password_file_of_the_database_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, '[database]\npassword_file = "no"\n')

    with pytest.raises(ConfigError, match="database: password_file"):
        load(path, {})


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[[sip.accounts]]\nname = "b"\nuri = "sip:b@x"\npassword_file = "no"\n'
    )

    with pytest.raises(ConfigError, match="password_file"):
        load(path, {})


def test_the_file_is_looked_for_as_told_then_by_environment(tmp_path: Path) -> None:
    told, named = tmp_path / "told.toml", tmp_path / "named.toml"

    assert find_file(told, {"GATEWAY_CONFIG": str(named)}) == told
    assert find_file(None, {"GATEWAY_CONFIG": str(named)}) == named


@pytest.mark.parametrize("text", ["300ms", "60s", "5m", "72h", "1.5s", "7d", "0s"])
def test_a_duration_survives_being_written(text: str) -> None:
    value = parse_duration(text)

    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize("text", ["", "60", "-1s", "s", "1 week", None])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a duration is text"):
        parse_duration(text)


def test_a_duration_may_have_a_space() -> None:
    assert parse_duration("2 m") == timedelta(minutes=2)
