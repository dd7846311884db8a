"""What may be configured of an endpoint, with what is said of the rest."""

import json
from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.config_file import load, masked
from gateway.errors import ConfigError
from tests.webhook_receiver import OLD_SECRET, SECRET

URL = "https://crm.example/sip-events"


def settings(folder: Path, *lines: str, url: str = URL, secret: str = SECRET) -> Settings:
    file = folder / "gateway.toml"
    own = (f'url = "{url}"', f'secret = "{secret}"' if secret else "")
    file.write_text("\n".join(["[[webhooks.endpoints]]", *own, *lines]))
    return load(file, {})


def objection(folder: Path, *lines: str, url: str = URL, secret: str = SECRET) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(folder, *lines, url=url, secret=secret)
    return str(caught.value)


def test_an_endpoint_gets_everything_from_nowhere_private_by_default(tmp_path: Path) -> None:
    [endpoint] = settings(tmp_path).webhooks.endpoints

    assert endpoint.events == ("*",)
    assert not endpoint.private_networks


def test_its_id_is_of_its_url(tmp_path: Path) -> None:
    [first] = settings(tmp_path).webhooks.endpoints
    [again] = settings(tmp_path, 'events = ["call.*"]', secret=OLD_SECRET).webhooks.endpoints
    [other] = settings(tmp_path, url=URL + "/2").webhooks.endpoints

    assert first.id == again.id
    assert first.id != other.id
    assert first.id.startswith("whe_")
    assert len(first.id) == len("whe_") + 12


def test_a_secret_file_may_hold_the_old_secret_too(tmp_path: Path) -> None:
    (tmp_path / "crm.secret").write_text(f"{SECRET}\n{OLD_SECRET}\n")

    [endpoint] = settings(tmp_path, 'secret_file = "crm.secret"', secret="").webhooks.endpoints

    assert endpoint.keys == (
        b"0123456789abcdef0123456789abcdef",
        b"fedcba9876543210fedcba9876543210",
    )


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    shown = json.dumps(masked(settings(tmp_path)))

    assert URL in shown
    assert SECRET not in shown
    assert SECRET.removeprefix("whsec_") not in shown


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("", id="none"),
        pytest.param("   ", id="blank"),
        pytest.param(SECRET.removeprefix("whsec_"), id="without-prefix"),
        pytest.param("whsec_c2hvcnQ=", id="short"),
        pytest.param("whsec_" + "A" * 120, id="long"),
        pytest.param(SECRET + "!", id="no-base64"),
        pytest.param(f"{SECRET} whsec_", id="second-one-bad"),
    ],
)
def test_a_bad_secret_is_refused_without_repeating_it(tmp_path: Path, secret: str) -> None:
    text = objection(tmp_path, secret=secret)

    assert "webhooks.endpoints[1]" in text
    assert "os.urandom(32)" in text
    assert not secret.strip() or secret not in text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("crm.example/events", id="no-scheme"),
        pytest.param("ftp://crm.example/", id="other-scheme"),
        pytest.param("https://", id="no-host"),
        pytest.param("https://crm.example:99999/", id="no-port"),
        pytest.param("https://crm.example:0/", id="port-zero"),
        pytest.param("https://[::1/", id="bracket"),
        pytest.param("https://crm.example/a b", id="blank"),
        pytest.param("https://crm.example/a\\u0007", id="control"),
    ],
)
def test_what_is_no_url_is_told_how_to_write_one(tmp_path: Path, url: str) -> None:
    assert "https://crm.example/sip-events" in objection(tmp_path, url=url)


@pytest.mark.parametrize("url", ["https://me:word@crm.example/", "https://crm.example/#there"])
def test_what_a_receiver_would_never_see_is_refused(tmp_path: Path, url: str) -> None:
    text = objection(tmp_path, url=url)

    assert "webhooks.endpoints[1].url: no user, password or #" in text
    assert "word@" not in text


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        pytest.param("message.recieved", "did you mean message.received?", id="misspelt"),
        pytest.param("calls.*", "did you mean call", id="glob"),
        pytest.param("xyz", "known are message.received", id="nothing-near"),
    ],
)
def test_a_pattern_that_matches_no_event_is_refused(
    tmp_path: Path, pattern: str, hint: str
) -> None:
    text = objection(tmp_path, f'events = ["call.*", "{pattern}"]')

    assert "webhooks.endpoints[1].events[2]" in text
    assert hint in text


def test_an_url_twice_is_refused(tmp_path: Path) -> None:
    second = ("[[webhooks.endpoints]]", f'url = "{URL}"', f'secret = "{SECRET}"')

    assert f"'{URL}' is there twice" in objection(tmp_path, *second)
