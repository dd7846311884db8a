"""The string by which MicroSIP sends a SIP MESSAGE."""

from gateway.errors import InvalidRequest
from gateway.phone_message import PhoneMessage, parse_message


def message_string(message: PhoneMessage) -> str:
    """``NUMBER TEXT``: what has no space in it, MicroSIP would dial.

    ``parse_message`` let nothing through that could be more than a message; it is looked
    at again because this is the one string that holds what somebody wrote.
    """
    if parse_message(message.number, message.text) != message:
        raise InvalidRequest(f"{message} cannot be handed to MicroSIP")
    # At the end of NUMBER stands a domain or a digit, at its start no quotation mark: so
    # MicroSIP strips no pair of them, and splits at the space in between.
    return f"{message.number.removeprefix('sip:')} {message.text}"
