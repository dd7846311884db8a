"""Who may use which command."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.address import Aor
from gateway.caller import Caller, Origin, Permission
from gateway.chat.access import Access, Denied, Granted
from gateway.chat.command import Call, Command, Reply
from gateway.config import ChatRule
from gateway.errors import ConfigError
from gateway.phone import CommandOutcome
from tests.unit.chat_bench import Bench

NOON = datetime(2026, 11, 4, 11, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Berlin
NIGHT = datetime(2026, 11, 4, 21, 0, tzinfo=UTC)


async def _nothing(_: Call) -> Reply:
    return Reply(outcome=CommandOutcome.CONFIRMED)


def command(name: str, *permissions: Permission, alias: str = "") -> Command:
    aliases = (alias,) if alias else ()
    return Command(name=name, run=_nothing, help="", aliases=aliases, permissions=permissions)


DIAL = command("dial", Permission.PHONE_CONTROL)
DTMF = command("dtmf", Permission.PHONE_CONTROL, alias="senddtmf")
HANGUP = command("hangup", Permission.PHONE_CONTROL)
STATUS = command("status", Permission.PHONE_READ)
CLOSE = command("close", Permission.ADMIN)
FIND = command("find", Permission.HISTORY_OWN, Permission.HISTORY_ALL)
PING = command("ping")


def person(user: str = "101") -> Caller:
    aor = Aor(f"sip:{user}@office.example")
    return Caller(who=aor, proof="test", origin=Origin.SIP, aor=aor)


def token(*permissions: Permission) -> Caller:
    return Caller(
        who="token:crm", proof="test", origin=Origin.REST, permissions=frozenset(permissions)
    )


def rule(
    allow: str, *, who: str = "sip:10?@office.example", args: str = "", hours: str = ""
) -> ChatRule:
    return ChatRule(
        who=(who,), allow=tuple(allow.split()), args=tuple(args.split()), hours=hours
    )


def access(*rules: ChatRule) -> Access:
    return Access.of(rules, ZoneInfo("Europe/Berlin"))


def may(
    rules: Access, used: Command, subject: str = "", *, user: str = "101", at: datetime = NOON
) -> bool:
    return isinstance(rules.decide(person(user), used, subject, at), Granted)


@pytest.mark.parametrize("used", [DIAL, STATUS, CLOSE, FIND], ids=lambda used: used.name)
def test_without_a_rule_nothing_is_allowed(used: Command) -> None:
    assert not may(access(), used)


def test_a_command_without_permission_is_for_anyone_proven() -> None:
    assert may(access(), PING)


@pytest.mark.parametrize(
    ("allow", "used", "allowed"),
    [
        pytest.param("dial", DIAL, True, id="verb"),
        pytest.param("Dial", DIAL, True, id="DDE name"),
        pytest.param("SendDTMF", DTMF, True, id="DDE name that differs"),
        pytest.param("DIAL", DIAL, True, id="any case"),
        pytest.param("phone:control", DIAL, True, id="class"),
        pytest.param("phone:read", DIAL, False, id="another class"),
        pytest.param("phone:*", STATUS, True, id="glob of classes"),
        pytest.param("phone:*", CLOSE, False, id="close is not of the phone's classes"),
        pytest.param("admin", CLOSE, True, id="admin"),
        pytest.param("*", CLOSE, True, id="everything"),
        pytest.param("hangup", DIAL, False, id="another verb"),
        pytest.param("history:own", FIND, True, id="history"),
    ],
)
def test_a_rule_lists_verbs_or_classes(allow: str, used: Command, *, allowed: bool) -> None:
    assert may(access(rule(allow)), used) is allowed


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        pytest.param("sip:101@office.example", True, id="exact"),
        pytest.param("sip:10?@office.example", True, id="glob"),
        pytest.param("sip:*@office.example", True, id="domain"),
        pytest.param("*", True, id="all"),
        pytest.param("sip:101@*.example.evil", False, id="another domain"),
        pytest.param("101", False, id="a user part is no AOR"),
        pytest.param("sip:10@office.example", False, id="a prefix"),
    ],
)
def test_a_rule_is_for_an_aor(who: str, *, allowed: bool) -> None:
    assert may(access(rule("dial", who=who)), DIAL) is allowed


@pytest.mark.parametrize(
    ("used", "subject", "allowed"),
    [
        pytest.param(DIAL, "1002", False, id="too short for the glob"),
        pytest.param(DIAL, "10024", True, id="fits"),
        pytest.param(HANGUP, "", True, id="without an argument"),
        pytest.param(DIAL, "10024@evil.example", False, id="more than the glob"),
    ],
)
def test_args_are_matched_with_the_argument(
    used: Command, subject: str, *, allowed: bool
) -> None:
    assert may(access(rule("dial hangup", args="10???")), used, subject) is allowed


@pytest.mark.parametrize("glob", ["+4930*", "004930*", "tel:+49-30*"])
@pytest.mark.parametrize("subject", ["+4930123", "004930123"])
def test_args_mean_a_number_however_it_is_written(glob: str, subject: str) -> None:
    allowing, denying = access(rule("dial", args=glob)), access(rule("", args=glob), rule("*"))

    assert may(allowing, DIAL, subject)
    assert not may(denying, DIAL, subject)
    assert not may(allowing, DIAL, "+4931123")
    assert may(denying, DIAL, "+4931123")


@pytest.mark.parametrize(
    "subject", ["09-00123", "sip:0900123@office.example", "sip:09-00@h.example", "*21*0900123#"]
)
def test_a_denied_number_is_denied_in_every_disguise(subject: str) -> None:
    denying = access(rule("", args="0900*"), rule("*"))

    assert not may(denying, DIAL, subject)


def test_an_allowed_number_is_no_address_elsewhere() -> None:
    assert not may(access(rule("dial", args="10??")), DIAL, "sip:1002@evil.example")


def test_args_hide_no_host_behind_a_parameter() -> None:
    rules = access(rule("dial", args="*@office.example"))

    assert may(rules, DIAL, "sip:1@office.example;transport=tcp")
    assert not may(rules, DIAL, "sip:1@office.example;maddr=evil.example")
    assert not may(rules, DIAL, "sip:1@evil.example;x=@office.example")


@pytest.mark.parametrize(("at", "allowed"), [(NOON, True), (NIGHT, False)], ids=["day", "eve"])
def test_hours_are_local(at: datetime, *, allowed: bool) -> None:
    rules = access(rule("dial", hours="mon-fri 11:30-12:30"))

    assert may(rules, DIAL, at=at) is allowed


def test_the_first_rule_that_fits_decides() -> None:
    rules = access(rule("find"), rule("history:all"))

    decision = rules.decide(person(), FIND, "", NOON)

    assert decision == Granted(frozenset({Permission.HISTORY_OWN}))


def test_a_later_rule_counts_where_the_first_does_not_fit() -> None:
    rules = access(rule("dial", hours="sat"), rule("dial", args="2*"), rule("dial", args="1*"))

    assert may(rules, DIAL, "1002")
    assert not may(rules, DIAL, "3002")


def test_a_rule_without_allow_denies_what_it_names() -> None:
    rules = access(rule("", who="sip:105@*"), rule("", args="09*"), rule("*"))

    assert not may(rules, STATUS, user="105")
    assert not may(rules, DIAL, "0900123")
    assert may(rules, DIAL, "1002")
    assert may(rules, HANGUP)


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        pytest.param("find", {Permission.HISTORY_OWN}, id="the verb alone"),
        pytest.param("history:own", {Permission.HISTORY_OWN}, id="own"),
        pytest.param("history:all", {Permission.HISTORY_OWN, Permission.HISTORY_ALL}, id="all"),
        pytest.param("*", {Permission.HISTORY_OWN, Permission.HISTORY_ALL}, id="everything"),
    ],
)
def test_reading_the_messages_of_others_is_granted_by_name(
    allow: str, expected: set[Permission]
) -> None:
    decision = access(rule(allow)).decide(person(), FIND, "", NOON)

    assert decision == Granted(frozenset(expected))


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        pytest.param(access(), "not allowed", id="no rule"),
        pytest.param(
            access(rule("dial", args="2*")), "not allowed with this argument", id="argument"
        ),
        pytest.param(access(rule("dial", hours="sat")), "not allowed at this hour", id="hour"),
    ],
)
def test_a_refusal_says_why_and_which_rule_to_add(rules: Access, why: str) -> None:
    decision = rules.decide(person(), DIAL, "1002", NOON)

    assert isinstance(decision, Denied)
    assert decision.why == why
    assert decision.remedy[1:] == (
        "[[chat.rules]]",
        'who = ["sip:101@office.example"]',
        'allow = ["dial"]',
    )


def test_the_rule_to_add_is_for_this_sender_alone() -> None:
    decision = access().decide(person("*"), DIAL, "1002", NOON)

    assert isinstance(decision, Denied)
    assert 'who = ["sip:[*]@office.example"]' in decision.remedy


@pytest.mark.parametrize(
    ("has", "used", "allowed"),
    [
        pytest.param(Permission.PHONE_CONTROL, DIAL, True, id="scope"),
        pytest.param(Permission.PHONE_READ, DIAL, False, id="another scope"),
        pytest.param(Permission.HISTORY_ALL, FIND, True, id="history"),
        pytest.param(Permission.ADMIN, DIAL, False, id="admin is no master key"),
    ],
)
def test_scopes_decide_for_a_token(has: Permission, used: Command, *, allowed: bool) -> None:
    rules = access(rule("*", who="*"))

    decision = rules.decide(token(has), used, "", NOON)

    assert isinstance(decision, Granted) is allowed


def test_a_token_is_told_the_scope_it_lacks() -> None:
    decision = access().decide(token(), FIND, "", NOON)

    assert decision == Denied(
        "the token lacks the scope messages:read",
        ("Create one that has it: sip-gateway token create NAME --scope messages:read",),
    )


def test_a_caller_without_aor_and_scopes_may_nothing() -> None:
    nobody = Caller(who="token:x", proof="test", origin=Origin.CLI)

    assert access(rule("*", who="*")).decide(nobody, DIAL, "", NOON) == Denied("not allowed")


def test_hours_that_cannot_be_read_are_an_error_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"\[\[chat.rules\]\] hours"):
        access(rule("dial", hours="office hours"))


def test_what_a_rule_allows_and_nothing_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    Bench(rules=(rule("phone:reed dial SendDTMF history:* dail *"),))

    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"[[chat.rules]] allow {word!r} allows nothing: no command or class has it"
        for word in ("phone:reed", "dail")
    ]
