"""How quickly the gateway reacts: to a webhook, to a chat command."""

import asyncio

from gateway.bench.child import LOCAL_ACCOUNT, GatewayChild, ready_gateway
from gateway.bench.pace import paced
from gateway.bench.peer import peer
from gateway.bench.plan import Bench
from gateway.bench.result import Latencies, Result

HOOK_AORS = 10
_PATIENCE = 20
_COMMANDS_OF_ONE = 10
"""Nobody is sent more than 20 replies in a minute."""
_HOOK = """
[limits]
hook = ""
[[hooks.sources]]
key = "bench"
to = ["sip:nobody@127.0.0.1"]
"""
_PHONE = """
[limits]
sender_commands = ""
[phone]
driver = "simulated"
command_spacing = "0ms"
[[chat.rules]]
who = ["*"]
allow = ["phone:control"]
"""


async def webhook(bench: Bench) -> Result:
    """From the POST to the MESSAGE on the wire."""
    child = GatewayChild(bench.folder, LOCAL_ACCOUNT, _HOOK, environment=bench.environment)
    async with peer() as phone, ready_gateway(child), child.client() as client:

        async def request(number: int) -> float:
            text = f"alert {number}!"
            arrived = phone.awaits(text)
            to = f"sip:p{number % HOOK_AORS}@127.0.0.1:{phone.port}"
            await client.post("/v1/hooks/bench", {"text": text, "to": to})
            async with asyncio.timeout(_PATIENCE):
                return await arrived

        plan = bench.plan
        return (await paced(request, plan.hook_rate, plan.hook_seconds)).measured()


async def chat(bench: Bench) -> Result:
    """From a command's MESSAGE to the reply's, one after the other."""
    child = GatewayChild(bench.folder, LOCAL_ACCOUNT, _PHONE, environment=bench.environment)
    loop = asyncio.get_running_loop()
    samples: list[float] = []
    async with peer() as phone, ready_gateway(child):
        for number in range(bench.plan.commands):
            text = f"volume {number % 100}"
            replied = phone.awaits(f"WAIT {text} ")
            started = loop.time()
            phone.send(text, user=f"p{number // _COMMANDS_OF_ONE}", port=child.port)
            async with asyncio.timeout(_PATIENCE):
                samples.append(await replied - started)
    return Latencies(samples).measured()
