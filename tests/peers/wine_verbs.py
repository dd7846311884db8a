"""What each verb that takes effect is to arrive as, with the call around it."""

from dataclasses import dataclass

from gateway.phone import CommandOutcome

CONFIRMED, UNCONFIRMED = CommandOutcome.CONFIRMED, CommandOutcome.UNCONFIRMED


@dataclass(frozen=True)
class Case:
    """A line, the call before and after it, and the strings that MicroSIP is to receive."""

    line: str
    before: str
    after: str
    plain: str
    bracket: str

    def phrase(self, syntax: str) -> str:
        return self.plain if syntax == "plain" else self.bracket

    @property
    def outcome(self) -> CommandOutcome:
        """Only what Status shows is confirmed."""
        return UNCONFIRMED if self.before == self.after else CONFIRMED

    @property
    def evidence(self) -> str:
        if self.before == self.after:
            return ""
        return f"{self.before.split()[0]} -> {self.after.split()[0]}"


CALL, RINGING, HELD = "active 1001", "ringing 1001", "held 1001"
CASES = (
    Case("dial 1002", "idle", "dialing 1002", "Dial 1002", '[Dial("1002")]'),
    Case("callto 1002", "idle", "dialing 1002", "CallTo 1002", '[CallTo("1002")]'),
    Case("hangup", CALL, "idle", "Hangup", "[Hangup]"),
    Case("answer", RINGING, CALL, "Answer", "[Answer]"),
    Case("reject", RINGING, "idle", "Reject", "[Reject]"),
    Case("hold", CALL, HELD, "Hold", "[Hold]"),
    Case("hold", HELD, CALL, "Hold", "[Hold]"),
    Case("transfer 1003", CALL, "idle", "Transfer 1003", '[Transfer("1003")]'),
    Case("dtmf 12,3#", CALL, CALL, "SendDTMF 12,3#", '[SendDTMF("12,3#")]'),
    Case("mute", CALL, CALL, "Mute", "[Mute]"),
    Case("volup 3", "idle", "idle", "VolumeUp 3", '[VolumeUp("3")]'),
    Case("voldown 3", "idle", "idle", "VolumeDown 3", '[VolumeDown("3")]'),
    Case("volume 40", "idle", "idle", "SetVolume 40", '[SetVolume("40")]'),
    Case("micvolume 60", "idle", "idle", "SetMicVolume 60", '[SetMicVolume("60")]'),
    Case("device input 3", "idle", "idle", "SetDevice input,3", '[SetDevice("input","3")]'),
)
