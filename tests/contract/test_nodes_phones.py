"""Several gateways on one database: each has a MicroSIP of its own."""

from dataclasses import replace

from gateway.call import HOOK, INI, Call, CallDirection, CallOutcome
from gateway.call_log import CallCommit, CallQuery
from gateway.message import MessageId, uuid7
from gateway.phone import CommandEntry, CommandOutcome, CommandState
from tests.contract.node import Node
from tests.contract.samples import ANNA
from tests.fakes import NOON

RANG = Call(
    id="call_hook",
    direction=CallDirection.INCOMING,
    peer="555",
    started_at=NOON,
    sources=(HOOK,),
)
RECORD = Call(
    id="call_ini",
    direction=CallDirection.INCOMING,
    peer="555",
    started_at=NOON,
    ended_at=NOON,
    outcome=CallOutcome.MISSED,
    sources=(INI,),
    record_key="1;555",
)


def dialled(number: int = 1) -> CommandEntry:
    return CommandEntry(
        id=f"cmd_{number}",
        at=NOON,
        who=ANNA,
        proof="sip",
        origin="sip",
        text="dial 1002",
        verb="dial",
        message_id=MessageId(uuid7(NOON)),
    )


async def test_a_call_that_rang_at_two_phones_is_two_calls(
    anna_pc: Node, bert_pc: Node
) -> None:
    await anna_pc.calls.store_call(CallCommit(call=RANG))

    [merged] = await bert_pc.calls.merge_calls([RECORD])

    assert merged.id == RECORD.id
    assert {c.id for c in await anna_pc.calls.calls(CallQuery())} == {RANG.id, RECORD.id}


async def test_two_phones_may_have_the_same_record(anna_pc: Node, bert_pc: Node) -> None:
    await anna_pc.calls.merge_calls([RECORD])

    await bert_pc.calls.merge_calls([replace(RECORD, id="call_ini_of_bert")])

    listed = await anna_pc.calls.calls(CallQuery())
    assert {(c.node, c.record_key) for c in listed} == {
        ("anna-pc", RECORD.record_key),
        ("bert-pc", RECORD.record_key),
    }


async def test_a_record_that_says_nothing_new_changes_nothing(anna_pc: Node) -> None:
    await anna_pc.calls.merge_calls([RECORD])

    assert list(await anna_pc.calls.merge_calls([replace(RECORD, id="again")])) == []


async def test_a_restart_goes_on_from_the_calls_of_its_own_phone(
    anna_pc: Node, bert_pc: Node
) -> None:
    await anna_pc.calls.store_call(CallCommit(call=RANG))

    assert list(await bert_pc.calls.ongoing()) == []
    assert [c.id for c in await anna_pc.calls.ongoing()] == [RANG.id]


async def test_the_audit_tells_whose_phone_it_was(anna_pc: Node, bert_pc: Node) -> None:
    await anna_pc.audit.begin(dialled())

    [entry] = await bert_pc.audit.commands(10)

    assert entry.node == "anna-pc"


async def test_who_ends_the_entry_of_another_does_not_make_it_its_own(
    anna_pc: Node, bert_pc: Node
) -> None:
    written = await anna_pc.receives("dial 1002")
    entry = replace(dialled(), message_id=written.id)
    await anna_pc.audit.begin(entry)
    done = replace(entry, state=CommandState.DONE, outcome=CommandOutcome.UNCONFIRMED)

    await bert_pc.audit.finish(done)
    await bert_pc.store.settle_inbound(written.id, [])

    [stored] = await bert_pc.audit.commands(10)
    assert (stored.node, stored.outcome) == ("anna-pc", CommandOutcome.UNCONFIRMED)


async def test_a_command_that_another_took_over_is_not_run(
    anna_pc: Node, bert_pc: Node
) -> None:
    fence = dialled()
    await bert_pc.audit.begin(fence)

    earlier = await anna_pc.audit.begin(replace(dialled(2), message_id=fence.message_id))

    assert earlier is not None
    assert (earlier.id, earlier.node) == (fence.id, "bert-pc")


async def test_calls_are_counted_for_each_phone_and_for_each_sender_at_all(
    anna_pc: Node, bert_pc: Node
) -> None:
    await anna_pc.audit.begin(dialled(1))
    await bert_pc.audit.begin(dialled(2))
    await bert_pc.audit.begin(dialled(3))

    assert await anna_pc.audit.dialled_since(NOON) == 1
    assert await bert_pc.audit.dialled_since(NOON) == 2
    assert await anna_pc.audit.dialled_since(NOON, who=ANNA) == 3
