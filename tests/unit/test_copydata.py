"""WM_COPYDATA on a played desktop: what is sent, and what becomes of the answers."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, strategies as st

from gateway.errors import PhoneError
from gateway.microsip.controls import Button, Controls, DialerPage
from gateway.microsip.copydata import CopyDataChannel, Reply
from gateway.microsip.instance import Instance
from gateway.microsip.versions import Impossible, Text, Version, plan
from gateway.phone import PhoneCommand, Problem, Verb, parse_command
from gateway.phone_message import PhoneMessage

OFFICE = Instance(1, 10, r"C:\Program Files\MicroSIP\microsip.exe")
PORTABLE = Instance(2, 20, r"D:\tools\microsip.exe")
OFFICE_VERSION = Version(3, 22, 3)
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
NOT_TAKEN = {Reply.DROPPED: "still starting", Reply.BLOCKED: "administrator"}


class PlayedDesktop:
    """MicroSIPs that answer by a script, then take everything."""

    def __init__(self) -> None:
        self.running = [OFFICE]
        self.versions: dict[Instance, Version] = {}
        self.replies: deque[Reply] = deque()
        self.sent: list[str] = []
        self.shown = Controls()
        self.thawed = threading.Event()
        self.thawed.set()
        self.unread = threading.Event()
        self.unread.set()

    def instances(self) -> Sequence[Instance]:
        return list(self.running)

    def version(self, instance: Instance) -> Version | None:
        return self.versions.get(instance)

    def send(self, instance: Instance, text: str, timeout: float) -> Reply:
        self.sent.append(text)
        if not self.thawed.wait(timeout):
            return Reply.SILENT
        return self.replies.popleft() if self.replies else Reply.TAKEN

    def controls(self, instance: Instance, timeout: float) -> Controls:
        self.unread.wait(5)
        return self.shown

    def close(self, instance: Instance) -> Reply:
        self.running.remove(instance)
        return Reply.TAKEN


class Naps:
    """Sleeps no time at all, and says for how long."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def desktop() -> PlayedDesktop:
    return PlayedDesktop()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def channel(desktop: PlayedDesktop, naps: Naps) -> AsyncIterator[CopyDataChannel]:
    async with CopyDataChannel(
        desktop=desktop, executable="", sleep=naps, patience=0.1
    ) as opened:
        yield opened
    desktop.thawed.set()


async def answering(channel: CopyDataChannel) -> None:
    """Returns when the worker is back."""
    async with asyncio.timeout(5):
        while True:
            try:
                await channel.status()
            except PhoneError:
                await asyncio.sleep(0)
            else:
                return


MUTED = Controls(
    dialer=DialerPage(end=Button(), hold=Button(), transfer=Button(), muted=True, volume=50)
)


async def test_status_is_what_the_windows_show(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.shown = MUTED

    look = await channel.status()

    assert (look.words, look.muted, look.volume) == (None, True, 50)
    assert desktop.sent == ["msip:"]


async def test_what_the_windows_show_decides_what_is_sent(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.versions[OFFICE] = OFFICE_VERSION
    desktop.shown = MUTED

    await channel.execute(PhoneCommand(Verb.MUTE))
    await channel.execute(PhoneCommand(Verb.VOLUME, ("40",)))

    assert desktop.sent == ["msip:micunmute", "msip:speakdown", "msip:speakdown"]
    assert channel.phrase(PhoneCommand(Verb.MUTE)) == "msip:micunmute"


async def test_windows_that_hang_are_given_up(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.unread.clear()

    with pytest.raises(PhoneError) as hanging:
        await channel.status()
    desktop.unread.set()

    assert hanging.value.problem == Problem.NOT_RESPONDING
    assert "nothing was sent" in hanging.value.detail
    assert desktop.sent == ["msip:"]


async def test_where_the_windows_cannot_be_read_nothing_is_done_blindly(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.unread.clear()

    with pytest.raises(PhoneError) as hanging:
        await channel.execute(PhoneCommand(Verb.MUTE))
    desktop.unread.set()

    assert hanging.value.problem == Problem.FAILED
    assert desktop.sent == []


async def test_the_version_decides_what_is_sent(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    mute = PhoneCommand(Verb.MUTE)

    for version in (Version(3, 20, 5), Version(3, 22, 3)):
        desktop.running = [Instance(version.minor, 1, OFFICE.executable)]
        desktop.versions = {desktop.running[0]: version}
        await channel.execute(mute)

    assert desktop.sent == ["msip:micmute", "msip:micmuteclick"]
    assert channel.phrase(mute) == "msip:micmuteclick"


async def test_an_unknown_version_is_taken_for_the_oldest(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    with pytest.raises(PhoneError) as refused:
        await channel.execute(PhoneCommand(Verb.REJECT))

    assert refused.value.problem == Problem.FAILED
    assert desktop.sent == []


async def test_a_comma_is_a_second_between_two_strings(
    channel: CopyDataChannel, desktop: PlayedDesktop, naps: Naps
) -> None:
    await channel.execute(parse_command(Verb.DTMF, ("1,,2",)))

    assert desktop.sent == ["/dtmf:1", "/dtmf:2"]
    assert naps.taken == [2.0]


@pytest.mark.parametrize(
    ("reply", "says"), NOT_TAKEN.items(), ids=lambda case: getattr(case, "name", "")
)
async def test_what_was_not_taken_has_failed(
    channel: CopyDataChannel, desktop: PlayedDesktop, reply: Reply, says: str
) -> None:
    desktop.replies += [reply, reply]

    with pytest.raises(PhoneError) as of_status:
        await channel.status()
    with pytest.raises(PhoneError) as of_command:
        await channel.execute(DIAL)

    assert of_status.value.problem == of_command.value.problem == Problem.FAILED
    assert says in of_status.value.detail
    assert says in of_command.value.detail


@pytest.mark.parametrize("reply", [Reply.SILENT, Reply.DIED])
async def test_what_was_not_answered_may_have_happened(
    channel: CopyDataChannel, desktop: PlayedDesktop, reply: Reply
) -> None:
    desktop.replies.append(reply)

    with pytest.raises(PhoneError) as unanswered:
        await channel.execute(DIAL)

    assert unanswered.value.problem == Problem.NOT_RESPONDING
    assert "look at the phone" in unanswered.value.detail


async def test_what_was_begun_may_have_happened_whatever_came_then(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.replies += [Reply.TAKEN, Reply.DROPPED]

    with pytest.raises(PhoneError) as begun:
        await channel.execute(parse_command(Verb.VOLUME, ("40",)))

    assert begun.value.problem == Problem.NOT_RESPONDING
    assert desktop.sent == ["msip:speakdown"] * 2


async def test_while_one_hangs_nothing_more_is_sent(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.thawed.clear()

    for _ in range(2):
        with pytest.raises(PhoneError) as hanging:
            await channel.execute(DIAL)
        assert hanging.value.problem == Problem.NOT_RESPONDING
    with pytest.raises(PhoneError) as of_status:
        await channel.status()

    assert desktop.sent == ["1002"]
    assert "nothing was sent" in of_status.value.detail


async def test_after_a_hang_it_goes_on(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.thawed.clear()
    with pytest.raises(PhoneError):
        await channel.status()

    desktop.thawed.set()
    await answering(channel)
    await channel.execute(DIAL)

    assert desktop.sent == ["msip:", "msip:", "1002"]


async def test_a_closed_microsip_is_not_running(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    await channel.execute(PhoneCommand(Verb.CLOSE))

    for action in (channel.status, lambda: channel.execute(DIAL)):
        with pytest.raises(PhoneError) as gone:
            await action()
        assert gone.value.problem == Problem.NOT_RUNNING
    assert desktop.sent == []


async def test_of_two_neither_is_driven(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.running.append(PORTABLE)

    with pytest.raises(PhoneError) as refused:
        await channel.execute(DIAL)

    assert refused.value.problem == Problem.FAILED
    assert desktop.sent == []


LINES = st.sampled_from(["dial 1002", "hangup", "reject", "dtmf 1,2", "volup 3", "volume 5"])


@given(line=LINES, replies=st.lists(st.sampled_from(Reply), max_size=25))
def test_only_what_was_not_done_is_said_to_have_failed(line: str, replies: list[Reply]) -> None:
    word, *arguments = line.split()
    command = parse_command(Verb(word), tuple(arguments))
    desktop = PlayedDesktop()
    desktop.replies += replies

    problem = asyncio.run(_problem(desktop, command))

    seen = replies[: len(desktop.sent)]
    took_some = any(reply not in {Reply.DROPPED, Reply.BLOCKED} for reply in seen)
    if problem is Problem.NONE:
        assert all(reply is Reply.TAKEN for reply in seen)
        assert desktop.sent == texts(command)
    elif problem is not Problem.NOT_RESPONDING:
        assert not took_some


def texts(command: PhoneCommand) -> list[str]:
    steps = plan(command, OFFICE_VERSION)
    assert not isinstance(steps, Impossible)
    return [step.text for step in steps if isinstance(step, Text)]


async def _problem(desktop: PlayedDesktop, command: PhoneCommand) -> Problem:
    desktop.versions[OFFICE] = OFFICE_VERSION
    async with CopyDataChannel(desktop=desktop, executable="", sleep=Naps()) as channel:
        try:
            await channel.execute(command)
        except PhoneError as exc:
            return Problem(exc.problem)
    return Problem.NONE


@pytest.mark.parametrize("version", [Version(3, 20, 5), Version(3, 22, 3)], ids=str)
async def test_a_message_is_one_string_that_begins_with_its_number(
    channel: CopyDataChannel, desktop: PlayedDesktop, version: Version
) -> None:
    desktop.versions = {OFFICE: version}

    await channel.write(PhoneMessage("sip:eva@office.example", '"hello" 1002'))

    assert desktop.sent == ['eva@office.example "hello" 1002']


@pytest.mark.parametrize(
    ("reply", "problem"),
    [(Reply.DROPPED, Problem.FAILED), (Reply.SILENT, Problem.NOT_RESPONDING)],
)
async def test_a_message_that_was_not_taken_is_an_error(
    channel: CopyDataChannel, desktop: PlayedDesktop, reply: Reply, problem: Problem
) -> None:
    desktop.replies.append(reply)

    with pytest.raises(PhoneError) as refused:
        await channel.write(PhoneMessage("1002", "hello"))

    assert refused.value.problem == problem
    assert desktop.sent == ["1002 hello"]


async def test_a_microsip_that_is_too_old_is_sent_no_message(
    channel: CopyDataChannel, desktop: PlayedDesktop
) -> None:
    desktop.versions = {OFFICE: Version(3, 19, 31)}

    with pytest.raises(PhoneError) as refused:
        await channel.write(PhoneMessage("1002", "hello"))

    assert "too old" in refused.value.detail
    assert desktop.sent == []
