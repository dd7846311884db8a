"""``/v1/messages``, ``/v1/conversations``: the history, page by page."""

from datetime import timedelta

import pytest

from tests.web.conftest import Api, Office


def texts(page: object) -> list[str]:
    assert isinstance(page, dict)
    return [item["text"] for item in page["items"]]


async def fill(office: Office, count: int, to: str = "101") -> None:
    for number in range(1, count + 1):
        await office.send(to, f"text {number}")


async def test_an_empty_history_is_an_empty_page(api: Api) -> None:
    reply = await api.get("/v1/messages")

    assert reply.status == 200
    assert reply.json == {"items": [], "next_cursor": None, "prev_cursor": None}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("desc", ["text 3", "text 2", "text 1"]),
        ("asc", ["text 1", "text 2", "text 3"]),
    ],
)
async def test_messages_come_in_the_order_asked_for(
    office: Office, order: str, expected: list[str]
) -> None:
    await fill(office, 3)

    reply = await office.api.get(f"/v1/messages?order={order}")

    assert texts(reply.json) == expected


@pytest.mark.parametrize("order", ["desc", "asc"])
async def test_cursors_lead_to_the_end_and_back_without_gap_or_repetition(
    office: Office, order: str
) -> None:
    await fill(office, 5)
    path = f"/v1/messages?order={order}&limit=2"

    pages = [(await office.api.get(path)).json]
    while cursor := pages[-1]["next_cursor"]:
        pages.append((await office.api.get(f"{path}&cursor={cursor}")).json)
    back = [pages[-1]]
    while cursor := back[-1]["prev_cursor"]:
        back.append((await office.api.get(f"{path}&cursor={cursor}")).json)

    whole = texts((await office.api.get(f"/v1/messages?order={order}")).json)
    assert [text for page in pages for text in texts(page)] == whole
    assert [texts(page) for page in back[::-1]] == [texts(page) for page in pages]
    assert pages[0]["prev_cursor"] is None


async def test_a_page_does_not_shift_when_messages_come_in(office: Office) -> None:
    await fill(office, 4)
    first = await office.api.get("/v1/messages?limit=2")
    await office.send(text="meanwhile")

    second = await office.api.get(f"/v1/messages?limit=2&cursor={first.json['next_cursor']}")

    assert texts(second.json) == ["text 2", "text 1"]


async def test_the_page_size_may_change_on_the_way(office: Office) -> None:
    await fill(office, 4)
    first = await office.api.get("/v1/messages?limit=1")

    second = await office.api.get(f"/v1/messages?limit=3&cursor={first.json['next_cursor']}")

    assert texts(second.json) == ["text 3", "text 2", "text 1"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages?limit=1&order=asc",
        "/v1/messages?limit=1&peer=101",
        "/v1/messages?limit=1&q=text",
        "/v1/conversations/101/messages?limit=1",
        "/v1/conversations?limit=1",
    ],
)
async def test_a_cursor_does_not_fit_another_query(office: Office, path: str) -> None:
    await fill(office, 2)
    cursor = (await office.api.get("/v1/messages?limit=1")).json["next_cursor"]

    reply = await office.api.get(f"{path}&cursor={cursor}")

    assert (reply.status, reply.code) == (400, "cursor_invalid")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/conversations", "/v1/commands"])
@pytest.mark.parametrize("cursor", ["x", "ä", "!!!!", "bnVsbA", "WzEsMl0", "9" * 5000])
async def test_a_made_up_cursor_is_refused(api: Api, path: str, cursor: str) -> None:
    reply = await api.get(f"{path}?cursor={cursor}")

    assert (reply.status, reply.code) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("q=pizza", ["pizza today"], id="words"),
        pytest.param("q=-pizza", ["to 102", "to 101"], id="excluded-words"),
        pytest.param("peer=102", ["pizza today", "to 102"], id="user-part"),
        pytest.param("peer=sip:102@office.example", ["pizza today", "to 102"], id="aor"),
        pytest.param("peer=102@OFFICE.example", ["pizza today", "to 102"], id="no-scheme"),
        pytest.param("q=pizza&peer=101", [], id="words-with-peer"),
        pytest.param("q=with:101&peer=sip:102@office.example", [], id="peers-both-ways"),
        pytest.param("direction=inbound", [], id="direction"),
        pytest.param("status=canceled", ["to 101"], id="status"),
        pytest.param(
            "status=queued,canceled", ["pizza today", "to 102", "to 101"], id="statuses"
        ),
        pytest.param(
            "q=is:queued&status=queued,failed", ["pizza today", "to 102"], id="status-both-ways"
        ),
        pytest.param("since=2026-06-01T12:01:00Z", ["pizza today", "to 102"], id="since"),
        pytest.param("since=2026-06-01", ["pizza today", "to 102", "to 101"], id="since-day"),
        pytest.param("since=2026-06-02", [], id="since-next-day"),
        pytest.param(
            "since=2026-06-01t14:01:00.000%2B02:00", ["pizza today", "to 102"], id="offset"
        ),
        pytest.param("until=2026-06-01T12:01:00Z", ["to 101"], id="until"),
        pytest.param("until=2026-06-01", [], id="until-day"),
        pytest.param(
            "q=after:-1h&until=2026-06-01T12:01:00Z", ["to 101"], id="times-both-ways"
        ),
        pytest.param("limit=1", ["pizza today"], id="limit"),
        pytest.param("q=limit:2", ["pizza today", "to 102"], id="limit-in-words"),
    ],
)
async def test_every_condition_narrows_the_history(
    office: Office, query: str, expected: list[str]
) -> None:
    first = await office.send("101", "to 101")
    await office.api.post(f"/v1/messages/{first}/cancel")
    office.clock.advance(timedelta(minutes=1))
    await office.send("102", "to 102")
    await office.send("102", "pizza today")

    reply = await office.api.get(f"/v1/messages?{query}")

    assert reply.status == 200
    assert texts(reply.json) == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "order=sideways",
        "direction=up",
        "status=lost",
        "since=yesterday",
        "since=2026-06-01T12:00:00",
        "peer=1%200%201",
        "peer=sip:",
        "peer=101@",
        "peer=a%00b",
        "q=%00",
        "q=is:lost",
        "q=with:101&peer=102",
        "q=is:failed&status=queued",
        "q=is:inbound&direction=outbound",
        "colour=red",
        "limit=1&limit=2",
    ],
)
async def test_a_wrong_parameter_is_refused(api: Api, query: str) -> None:
    reply = await api.get(f"/v1/messages?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        ("limit=x", "limit", "must be a whole number"),
        ("limit=0", "limit", "must be at least 1"),
        ("limit=201", "limit", "must be at most 200"),
        (f"limit={'9' * 5000}", "limit", "must be a whole number"),
        ("order=sideways", "order", "must be 'desc' or 'asc'"),
        ("direction=up", "direction", "must be 'inbound' or 'outbound'"),
        ("status=lost", "status", "known are queued,"),
        ("peer=101@", "peer", "write sip:101@office.example, or 101"),
        ("peer=a%00b", "peer", "must not hold the character U+0000; leave it out"),
        ("q=is:lost", "q", "is:lost is no status"),
        ("q=with:101&peer=102", "peer", "q names a peer already"),
        ("limit=1&limit=2", "limit", "given more than once; send it once"),
        ("colour=red", "colour", "unknown parameter; known are limit, cursor, order, q,"),
    ],
)
async def test_a_wrong_parameter_is_named(
    api: Api, query: str, parameter: str, detail: str
) -> None:
    reply = await api.get(f"/v1/messages?{query}")

    (error,) = reply.json["errors"]
    assert error["parameter"] == parameter
    assert detail in error["detail"]
    assert "pointer" not in error
    assert detail in reply.json["detail"]


@pytest.mark.parametrize("parameter", ["since", "until"])
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("2026", id="year"),
        pytest.param("0", id="epoch"),
        pytest.param("1790000000.5", id="epoch-seconds"),
        pytest.param("-1", id="negative"),
        pytest.param("", id="nothing"),
        pytest.param("2026-06", id="month"),
        pytest.param("20260601", id="basic-day"),
        pytest.param("2026-06-31", id="no-such-day"),
        pytest.param("2026-06-01T12:00:00", id="no-zone"),
        pytest.param("2026-06-01T12:00Z", id="no-seconds"),
        pytest.param("2026-06-01T25:00:00Z", id="no-such-hour"),
        pytest.param("2026-06-01T12:00:00+00:00", id="plus-not-escaped"),
        pytest.param("0001-01-01T00:00:00%2B14:00", id="before-all-time"),
        pytest.param("٢٠٢٦-06-01", id="other-digits"),
        pytest.param("2026-W23-1", id="week"),
    ],
)
async def test_a_moment_that_is_not_rfc_3339_is_told_what_to_write(
    api: Api, parameter: str, moment: str
) -> None:
    reply = await api.get(f"/v1/messages?{parameter}={moment}")

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["detail"].startswith(f"{parameter}: must be a time of RFC 3339; write ")
    assert "2026-11-01 for midnight UTC" in reply.json["detail"]


async def test_conversations_come_newest_first_with_counts(office: Office) -> None:
    await fill(office, 2, "101")
    await fill(office, 3, "102")
    await office.send("101", "latest")

    reply = await office.api.get("/v1/conversations")

    assert reply.json["next_cursor"] is None
    assert [(c["peer"], c["messages"], c["last"]["text"]) for c in reply.json["items"]] == [
        ("sip:101@office.example", 3, "latest"),
        ("sip:102@office.example", 3, "text 3"),
    ]


async def test_conversations_are_paged(office: Office) -> None:
    for user in ("101", "102", "103"):
        await office.send(user)

    first = await office.api.get("/v1/conversations?limit=2")
    cursor = first.json["next_cursor"]
    second = await office.api.get(f"/v1/conversations?limit=2&cursor={cursor}")

    peers = [c["peer"] for page in (first, second) for c in page.json["items"]]
    assert peers == [f"sip:{user}@office.example" for user in ("103", "102", "101")]
    assert second.json["next_cursor"] is None


@pytest.mark.parametrize(
    "peer", ["101", "sip:101@office.example", "sip%3A101%40office.example"]
)
async def test_a_conversation_holds_one_peers_messages(office: Office, peer: str) -> None:
    await fill(office, 2, "101")
    await fill(office, 1, "1012")

    reply = await office.api.get(f"/v1/conversations/{peer}/messages")

    assert texts(reply.json) == ["text 2", "text 1"]


async def test_a_conversation_is_paged(office: Office) -> None:
    await fill(office, 3)
    path = "/v1/conversations/101/messages?limit=2&order=asc"

    first = await office.api.get(path)
    second = await office.api.get(f"{path}&cursor={first.json['next_cursor']}")

    assert texts(first.json) + texts(second.json) == ["text 1", "text 2", "text 3"]


@pytest.mark.parametrize("peer", ["sip:", "1%200", "tel:+49301", "%3Cscript%3E"])
async def test_a_peer_that_is_no_address_is_refused(api: Api, peer: str) -> None:
    reply = await api.get(f"/v1/conversations/{peer}/messages")

    assert (reply.status, reply.code) == (400, "invalid_request")
