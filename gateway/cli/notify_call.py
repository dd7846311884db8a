"""``sip-gateway notify-call``: what an event hook runs where there is no hook program."""

import socket
from contextlib import suppress

import click

from gateway.call import CallEventKind
from gateway.cli.options import load_settings
from gateway.clock import now
from gateway.errors import GatewayError
from gateway.microsip.hand_over import HandOver, new_nonce, write_hand_over
from gateway.microsip.hand_over_conf import hook_folder, read_conf
from gateway.web.client import GatewayUnreachable


@click.command(name="notify-call")
@click.argument(
    "event", type=click.Choice([kind.value for kind in CallEventKind]), metavar="EVENT"
)
@click.argument("user", nargs=-1, metavar="-- USER")
def notify_call(event: str, user: tuple[str, ...]) -> None:
    """Hand an event of a call over to the running gateway.

    EVENT is one of outgoing, incoming, ring, answer, answer-video, start, busy, end. USER is
    what MicroSIP appends: text that whoever calls has chosen.
    """
    data_dir = load_settings(None).data_dir
    conf = read_conf(hook_folder(data_dir))
    if conf is None:
        raise GatewayUnreachable(
            f"no gateway has run on {data_dir} yet; start it with: sip-gateway run"
        )
    told = HandOver(kind=CallEventKind(event), user=" ".join(user), at=now(), nonce=new_nonce())
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("127.0.0.1", conf.port))
            udp.send(write_hand_over(told, conf.key))
            _check_taken(udp)
    except ConnectionError as exc:
        raise GatewayUnreachable(
            f"no gateway runs on {data_dir}; start it with: sip-gateway run"
        ) from exc
    except OSError as exc:
        raise GatewayError(
            f"the event was not sent to 127.0.0.1:{conf.port}: {exc.strerror or exc}; is"
            " loopback traffic blocked on this machine?"
        ) from exc


def _check_taken(udp: socket.socket) -> None:
    """Raises ConnectionError where the system knows already that nobody has the port.

    It is not waited for: MicroSIP runs this in the middle of a call.
    """
    udp.setblocking(False)
    with suppress(BlockingIOError):
        udp.recv(1)
