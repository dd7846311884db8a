"""The archive: what was said is found again."""

from dataclasses import replace
from datetime import datetime

import pytest

from gateway.address import Aor
from gateway.archive import Page, Place
from gateway.message import Direction, Message, MessageId, Status, uuid7
from gateway.query import HistoryQuery
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import ANNA, BERT, HOUR, MINUTE, arrival, received, sent
from tests.fakes import NOON


async def keep(store: SqlMessageStore, *messages: Message) -> None:
    await store.add_inbound([arrival(message) for message in messages])


async def found(archive: SqlArchive, query: HistoryQuery) -> list[str]:
    page = await archive.find(query, oldest_first=True)
    return [item.message.text for item in page.items]


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        pytest.param("DISK", ["disk full"], id="ascii, any case"),
        pytest.param("STRASSE", ["Hauptstraße"], id="sharp s"),
        pytest.param("ÄRGER", ["großer Ärger"], id="umlaut"),
        pytest.param("привет", ["ПРИВЕТ"], id="cyrillic"),
        pytest.param("a\u0308rger", ["großer Ärger"], id="composed differently"),
        pytest.param("100%", ["100% used"], id="percent sign"),
        pytest.param("a_b", ["a_b"], id="underscore"),
        pytest.param("c:/x", ["c:/x"], id="the escape itself"),
        pytest.param("c:\\x", ["c:\\x"], id="backslash"),
        pytest.param("disk full", ["disk full"], id="phrase"),
        pytest.param("'; DROP TABLE message; --", [], id="quotes"),
        pytest.param("nothing", [], id="nothing"),
    ],
)
async def test_a_word_is_found_in_any_case(
    store: SqlMessageStore, archive: SqlArchive, word: str, texts: list[str]
) -> None:
    stored = (
        "disk full",
        "Hauptstraße",
        "großer Ärger",
        "ПРИВЕТ",
        "100% used",
        "1000 used",
        "a_b",
        "axb",
        "c:/x",
        "c:\\x",
    )
    await keep(store, *(received(text) for text in stored))

    assert await found(archive, HistoryQuery(words=(word,))) == texts


async def test_every_word_must_be_there_and_no_excluded_one(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await keep(store, *(received(t) for t in ("red fox", "red hen", "red Fox 100%", "hen")))

    both = await found(archive, HistoryQuery(words=("fox", "RED")))
    without = await found(archive, HistoryQuery(words=("red",), excluded=("HEN", "0%")))

    assert both == ["red fox", "red Fox 100%"]
    assert without == ["red fox"]


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        pytest.param(HistoryQuery(peers=("101",)), ["in 101", "out 101"], id="user part"),
        pytest.param(HistoryQuery(peers=(ANNA,)), ["in 101", "out 101"], id="aor"),
        pytest.param(HistoryQuery(peers=("10_",)), [], id="metacharacter"),
        pytest.param(
            HistoryQuery(peers=("101", "102")),
            ["in 101", "out 101", "in 102"],
            id="either of two",
        ),
        pytest.param(HistoryQuery(senders=("101",)), ["in 101"], id="from a peer"),
        pytest.param(HistoryQuery(senders=("bot",)), ["out 101"], id="from the account"),
        pytest.param(HistoryQuery(recipients=(ANNA,)), ["out 101"], id="to a peer"),
        pytest.param(
            HistoryQuery(recipients=("sip:bot@office.example",)),
            ["in 101", "in 102"],
            id="to the account",
        ),
        pytest.param(
            HistoryQuery(direction=Direction.INBOUND), ["in 101", "in 102"], id="direction"
        ),
        pytest.param(
            HistoryQuery(statuses=frozenset({Status.QUEUED, Status.FAILED})),
            ["out 101"],
            id="one of the statuses",
        ),
        pytest.param(HistoryQuery(tags=("alerts",)), ["in 102"], id="tag"),
        pytest.param(HistoryQuery(tags=("alerts", "night")), ["in 102"], id="every tag"),
        pytest.param(HistoryQuery(tags=("alert",)), [], id="part of a tag"),
        pytest.param(
            HistoryQuery(since=NOON + MINUTE), ["out 101", "in 102"], id="since, inclusive"
        ),
        pytest.param(HistoryQuery(until=NOON + MINUTE), ["in 101"], id="until, exclusive"),
    ],
)
async def test_each_condition_limits_what_is_found(
    store: SqlMessageStore, archive: SqlArchive, query: HistoryQuery, texts: list[str]
) -> None:
    await keep(store, received("in 101", peer=ANNA))
    await store.add_outbound(sent("out 101", peer=ANNA, at=NOON + MINUTE))
    late = received("in 102", peer=BERT, at=NOON + HOUR, tags=("night", "alerts"))
    await keep(store, late)

    assert await found(archive, query) == texts


async def test_a_search_can_be_limited_to_one_peer(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await keep(store, received("mine", peer=ANNA), received("not mine", peer=BERT))

    page = await archive.find(HistoryQuery(words=("mine",)), within=ANNA)

    assert [item.message.text for item in page.items] == ["mine"]


def texts(page: Page) -> str:
    return "".join(item.message.text for item in page.items)


@pytest.mark.parametrize(
    ("oldest_first", "pages"),
    [
        pytest.param(False, ["54", "32", "1"], id="newest first"),
        pytest.param(True, ["12", "34", "5"], id="oldest first"),
    ],
)
async def test_pages_lead_forwards_and_back(
    store: SqlMessageStore, archive: SqlArchive, *, oldest_first: bool, pages: list[str]
) -> None:
    await keep(store, *(received(str(number)) for number in range(1, 6)))
    query = HistoryQuery(limit=2)

    first = await archive.find(query, oldest_first=oldest_first)
    second = await _turn(archive, first, oldest_first=oldest_first)
    third = await _turn(archive, second, oldest_first=oldest_first)
    second_again = await _turn(archive, third, oldest_first=oldest_first, backwards=True)
    first_again = await _turn(archive, second, oldest_first=oldest_first, backwards=True)

    assert [texts(page) for page in (first, second, third)] == pages
    assert second_again == second
    assert first_again == first
    assert [(page.has_previous, page.has_next) for page in (first, second, third)] == [
        (False, True),
        (True, True),
        (True, False),
    ]


async def _turn(
    archive: SqlArchive, page: Page, *, oldest_first: bool, backwards: bool = False
) -> Page:
    edge = page.items[0 if backwards else -1]
    place = Place(archive_id=edge.archive_id, backwards=backwards)
    return await archive.find(HistoryQuery(limit=2), place=place, oldest_first=oldest_first)


async def test_what_comes_in_between_moves_no_page(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await keep(store, *(received(str(number)) for number in range(1, 4)))
    first = await archive.find(HistoryQuery(limit=2))
    await keep(store, received("4"))

    second = await _turn(archive, first, oldest_first=False)

    assert (texts(first), texts(second)) == ("32", "1")


@pytest.mark.parametrize("archive_id", [-1, 0, 2**70])
async def test_a_place_outside_the_archive_is_an_empty_end(
    store: SqlMessageStore, archive: SqlArchive, archive_id: int
) -> None:
    await keep(store, received("1"))

    forwards = await archive.find(HistoryQuery(), place=Place(archive_id=archive_id))
    backwards = await archive.find(
        HistoryQuery(), place=Place(archive_id=archive_id, backwards=True)
    )

    assert texts(forwards) + texts(backwards) == "1"


async def test_a_page_has_an_upper_limit(store: SqlMessageStore, archive: SqlArchive) -> None:
    await keep(store, *(received(str(number)) for number in range(201)))

    page = await archive.find(HistoryQuery(limit=10_000))

    assert (len(page.items), page.has_next) == (200, True)


async def test_archive_ids_rise(store: SqlMessageStore, archive: SqlArchive) -> None:
    await keep(store, received("1"), received("2"))
    await store.add_outbound(sent("3"))

    page = await archive.find(HistoryQuery(), oldest_first=True)

    ids = [item.archive_id for item in page.items]
    assert texts(page) == "123"
    assert ids == sorted(set(ids))


async def test_an_unknown_message_is_not_found(archive: SqlArchive) -> None:
    unknown = MessageId(uuid7(NOON))

    assert await archive.get(unknown) is None
    assert list(await archive.attempts(unknown)) == []


async def test_times_come_back_in_utc(store: SqlMessageStore, archive: SqlArchive) -> None:
    eastern = datetime.fromisoformat("2026-06-01T23:59:59.999999+05:30")
    message = replace(received(), created_at=eastern)
    await keep(store, message)

    kept = await archive.get(message.id)

    assert kept is not None
    assert kept.message.created_at.isoformat() == "2026-06-01T18:29:59.999999+00:00"


async def test_conversations_are_listed_newest_first(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    carla = Aor("sip:103@office.example")
    await keep(store, received("1", peer=ANNA), received("2", peer=BERT))
    await keep(store, received("3", peer=carla), received("4", peer=ANNA))

    threads, more = await archive.conversations(2)
    rest, no_more = await archive.conversations(
        2, place=Place(archive_id=threads[-1].last.archive_id)
    )
    back, _ = await archive.conversations(
        2, place=Place(archive_id=rest[0].last.archive_id, backwards=True)
    )

    assert [(t.peer, t.messages, t.last.message.text) for t in threads] == [
        (ANNA, 2, "4"),
        (carla, 1, "3"),
    ]
    assert ([t.peer for t in rest], more, no_more) == ([BERT], True, False)
    assert back == threads


async def test_what_a_peer_was_told_of_late_is_known(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    for text, minutes in (("too early", 2), ("now", 0), ("later", -1)):
        submission = sent(text, at=NOON - minutes * MINUTE)
        await store.add_outbound(submission)
    await store.add_outbound(sent("to Bert", peer=BERT))
    await keep(store, received("by Anna"))

    told = await archive.told(ANNA, NOON - MINUTE, NOON + MINUTE, 100)

    assert told == ["now"]


async def test_what_was_told_before_is_known_however_much_came_since(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent("now"))
    await keep(
        store, *(replace(received(f"text {n}"), created_at=NOON + MINUTE) for n in range(3))
    )

    told = await archive.told(ANNA, NOON, NOON + MINUTE, 3)

    assert told == ["now"]


async def test_what_was_told_before_much_else_is_not_looked_for(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent("now"))
    await keep(store, *(received(f"text {n}") for n in range(3)))

    told = [await archive.told(ANNA, NOON, NOON + MINUTE, among) for among in (3, 4)]

    assert told == [[], ["now"]]
