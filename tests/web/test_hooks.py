"""``/v1/hooks/{key}``: inbound webhooks."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.hooks.verify import sign
from tests.fakes import NOON
from tests.web.conftest import SECRET, Api, Office, Reply

FIRING = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "phones",
    "groupLabels": {"alertname": "DiskFull"},
    "commonLabels": {"alertname": "DiskFull", "severity": "page"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "page", "instance": "web1"},
            "annotations": {"summary": "95 % used"},
            "startsAt": "2026-06-01T11:58:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example",
            "fingerprint": "a1",
        }
    ],
}


async def post(
    office: Office, key: str, document: Any, headers: dict[str, str] | None = None
) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await office.api.post(f"/v1/hooks/{key}", data=body, headers=headers, token=None)


def signed(
    document: object, *, secret: str = SECRET, at: float = NOON.timestamp()
) -> dict[str, str]:
    body = json.dumps(document).encode()
    timestamp = f"{at:.0f}"
    return {"X-Timestamp": timestamp, "X-Signature-256": sign(secret, timestamp, body)}


def bearer(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def queued(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await api.get("/v1/messages?order=asc")).json["items"]
    return items


async def test_a_signed_webhook_becomes_a_message(office: Office) -> None:
    document = {"text": "backup failed"}

    reply = await post(office, "plain", document, signed(document))

    (message,) = await queued(office.api)
    assert reply.status == 202
    assert reply.json["delivery_id"].startswith("hkd_")
    assert reply.json["messages"] == [message["id"]]
    assert (message["to"], message["text"]) == ("sip:101@office.example", "backup failed")
    assert (message["origin"], message["tags"]) == ("hook:plain", ["alerts"])
    assert office.woken == ["hook"]


async def test_the_shared_secret_will_do_for_who_cannot_sign(office: Office) -> None:
    reply = await post(office, "plain", {"text": "x"}, bearer())

    assert reply.status == 202


async def test_a_webhook_may_name_its_recipients(office: Office) -> None:
    await post(office, "open", {"text": "x", "to": ["102", "103", "102"]})

    peers = [message["peer"] for message in await queued(office.api)]
    assert peers == ["sip:102@office.example", "sip:103@office.example"]


@pytest.mark.parametrize("to", ["not an address", "", [], ["102", ""], ["102", 3], 102, {}])
async def test_a_recipient_that_is_no_address_is_pointed_at(office: Office, to: object) -> None:
    reply = await post(office, "open", {"text": "x", "to": to})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["errors"][0]["pointer"] == "/to"
    assert await queued(office.api) == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"X-Signature-256": "sha256=00"}, id="made-up"),
        pytest.param({"X-Signature-256": "ä"}, id="not-ascii"),
        pytest.param(signed({"text": "x"}, secret="other"), id="other-secret"),
        pytest.param(signed({"text": "y"}), id="other-body"),
        pytest.param({**signed({"text": "x"}), "X-Timestamp": "1"}, id="other-time"),
        pytest.param(bearer("other"), id="other-bearer"),
        pytest.param({"Authorization": SECRET}, id="no-scheme"),
        pytest.param(bearer(""), id="empty-bearer"),
    ],
)
async def test_a_wrong_signature_is_refused(office: Office, headers: dict[str, str]) -> None:
    reply = await post(office, "plain", {"text": "x"}, headers)

    assert (reply.status, reply.code) == (401, "signature_invalid")
    assert await queued(office.api) == []


@pytest.mark.parametrize("headers", [{}, bearer("other")], ids=["nothing", "other-bearer"])
async def test_who_may_sign_is_told_both_ways(office: Office, headers: dict[str, str]) -> None:
    reply = await post(office, "plain", {"text": "x"}, headers)

    assert "X-Timestamp with X-Signature-256" in reply.json["detail"]
    assert "Authorization: Bearer" in reply.json["detail"]


async def test_alertmanager_is_told_the_way_it_can_go(office: Office) -> None:
    reply = await post(office, "alerts", FIRING)

    assert "Authorization: Bearer" in reply.json["detail"]
    assert "X-Signature-256" not in reply.json["detail"]


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_webhook_of_another_time_is_refused(office: Office, seconds: int) -> None:
    document = {"text": "x"}

    reply = await post(
        office, "plain", document, signed(document, at=NOON.timestamp() + seconds)
    )

    assert (reply.status, reply.code) == (401, "timestamp_skew")


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_clocks_may_differ_a_little(office: Office, seconds: int) -> None:
    document = {"text": "x"}

    reply = await post(
        office, "plain", document, signed(document, at=NOON.timestamp() + seconds)
    )

    assert reply.status == 202


async def test_a_replayed_webhook_is_answered_like_the_first(office: Office) -> None:
    document = {"text": "x"}
    headers = signed(document)

    first = await post(office, "plain", document, headers)
    second = await post(office, "plain", document, headers)

    assert second.status == 202
    assert second.json == first.json
    assert len(await queued(office.api)) == 1


async def test_the_senders_own_id_makes_a_retry_known(office: Office) -> None:
    first = await post(office, "open", {"text": "x", "id": 7})
    second = await post(office, "open", {"text": "x (again)", "id": 7})
    other = await post(office, "open", {"text": "x", "id": "7"})

    assert second.json == first.json != other.json
    assert len(await queued(office.api)) == 2


async def test_an_unknown_key_is_not_found(office: Office) -> None:
    reply = await post(office, "nothing", {"text": "x"})

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"plain words", id="no-json"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"{}", id="empty"),
        pytest.param(b'{"text": ""}', id="empty-text"),
        pytest.param(b'{"text": 5}', id="number"),
        pytest.param(b'{"text": "\xff"}', id="no-utf-8"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
async def test_a_body_without_anything_to_tell_is_refused(office: Office, body: bytes) -> None:
    reply = await post(office, "open", body)

    assert (reply.status, reply.code) == (400, "invalid_request")


async def test_a_document_of_any_other_shape_is_told_line_by_line(office: Office) -> None:
    await post(office, "open", {"host": "web1", "up": False, "load": [1, 2], "at": {"x": None}})

    (message,) = await queued(office.api)
    assert message["text"] == "host: web1\nup: false\nload: 1, 2\nat: x="


async def test_what_phones_cannot_show_does_not_lose_an_alert(office: Office) -> None:
    reply = await post(office, "open", b'{"text": "a\\u0000b\\u001b[2J\\ud800\\r\\nc"}')

    (message,) = await queued(office.api)
    assert reply.status == 202
    assert message["text"] == "a\ufffdb\ufffd[2J\ufffd\nc"


async def test_alertmanager_tells_everyone(office: Office) -> None:
    reply = await post(office, "alerts", FIRING, bearer())

    first, second = await queued(office.api)
    assert reply.json["messages"] == [first["id"], second["id"]]
    assert [first["peer"], second["peer"]] == [
        "sip:101@office.example",
        "sip:102@office.example",
    ]
    assert first["text"] == ("[FIRING:1] DiskFull severity=page\n- 95 % used (instance=web1)")


async def test_alertmanager_needs_the_secret(office: Office) -> None:
    reply = await post(office, "alerts", FIRING, signed(FIRING))

    assert (reply.status, reply.code) == (401, "signature_invalid")


async def test_the_same_alerts_twice_are_told_once(office: Office) -> None:
    first = await post(office, "alerts", FIRING, bearer())
    second = await post(office, "alerts", {**FIRING, "externalURL": "http://b"}, bearer())
    resolved = await post(office, "alerts", {**FIRING, "status": "resolved"}, bearer())

    assert second.json == first.json != resolved.json
    assert len(await queued(office.api)) == 4


async def test_a_template_shapes_the_text(office: Office) -> None:
    await post(office, "shaped", {"host": "web1", "state": "down"})

    (message,) = await queued(office.api)
    assert message["text"] == "web1 is down"


@pytest.mark.parametrize("key", ["broken", "endless"])
async def test_an_alert_is_never_lost_to_a_template(office: Office, key: str) -> None:
    reply = await post(office, key, {"host": "web1", "state": "down"})

    (message,) = await queued(office.api)
    assert reply.status == 202
    assert message["text"] == "host: web1\nstate: down"


async def test_a_source_without_one_good_recipient_says_so(office: Office) -> None:
    reply = await post(office, "lost", {"text": "x"})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert "lost" in reply.json["detail"]


async def test_beyond_its_limit_a_source_waits_while_others_do_not(office: Office) -> None:
    replies = [await post(office, "open", {"text": f"{n}"}) for n in range(4)]
    other = await post(office, "shaped", {"host": "a", "state": "b"})

    assert [reply.status for reply in replies] == [202, 202, 202, 429]
    assert replies[-1].code == "rate_limited"
    assert int(replies[-1].headers["Retry-After"]) > 0
    assert other.status == 202


async def test_who_has_no_secret_does_not_use_up_the_limit(office: Office) -> None:
    for _ in range(5):
        await post(office, "plain", {"text": "x"}, bearer("wrong"))

    reply = await post(office, "plain", {"text": "x"}, bearer())

    assert reply.status == 202


async def test_without_a_database_nothing_is_accepted(office: Office, tmp_path: Path) -> None:
    for file in (tmp_path / "database").iterdir():
        file.write_bytes(b"this is no database" * 1000)

    reply = await post(office, "open", {"text": "x"})

    assert (reply.status, reply.code) == (503, "storage_unavailable")
    assert office.woken == []


async def test_webhooks_are_counted_by_source(office: Office) -> None:
    await post(office, "open", {"text": "x", "id": 1})
    await post(office, "open", {"text": "x", "id": 1})
    await post(office, "plain", {"text": "x"})
    await post(office, "made-up-key", {"text": "x"})

    text = (await office.api.get("/metrics")).text

    for labels in (
        'result="accepted",source="open"',
        'result="duplicate",source="open"',
        'result="signature_invalid",source="plain"',
        'result="not_found",source="unknown"',
    ):
        assert f"sip_gateway_hook_deliveries_total{{{labels}}} 1.0" in text
    assert "made-up-key" not in text


async def test_documents_unlike_alertmanagers_are_never_duplicates(office: Office) -> None:
    first = await post(office, "alerts", {"alerts": "first"}, bearer())
    second = await post(office, "alerts", {"alerts": "second"}, bearer())

    assert (first.status, second.status) == (202, 202)
    assert first.json["delivery_id"] != second.json["delivery_id"]


async def test_the_same_alerts_hours_later_are_a_reminder(office: Office) -> None:
    first = await post(office, "alerts", FIRING, bearer())
    office.clock.advance(timedelta(hours=4))

    reminder = await post(office, "alerts", FIRING, bearer())

    assert reminder.status == 202
    assert reminder.json["delivery_id"] != first.json["delivery_id"]
    assert len(reminder.json["messages"]) == len(first.json["messages"])
