"""``/healthz``, ``/readyz``, ``/metrics``, ``/v1/version``: how the gateway is."""

from gateway.ports import Health
from gateway.version import VERSION
from tests.web.conftest import Api, Office


async def test_the_gateway_is_alive(api: Api) -> None:
    reply = await api.get("/healthz", token=None)

    assert (reply.status, reply.json) == (200, {"status": "ok"})


async def test_the_gateway_is_ready_when_each_required_part_is(office: Office) -> None:
    office.probe.parts = [
        Health("journal", ok=True, detail="written"),
        Health("microsip", ok=False, detail="not running", required=False),
    ]

    reply = await office.api.get("/readyz", token=None)

    assert reply.status == 200
    assert reply.json == {
        "status": "ok",
        "parts": [
            {"part": "database", "ok": True, "required": True, "detail": "sqlite"},
            {"part": "journal", "ok": True, "required": True, "detail": "written"},
            {"part": "microsip", "ok": False, "required": False, "detail": "not running"},
        ],
    }


async def test_a_required_part_that_is_not_ok_makes_it_unready(office: Office) -> None:
    office.probe.parts = [Health("journal", ok=False, detail="journal_unwritable")]

    reply = await office.api.get("/readyz", token=None)

    assert reply.status == 503
    assert reply.json["status"] == "unavailable"
    assert reply.json["parts"][-1]["detail"] == "journal_unwritable"


async def test_metrics_are_in_the_text_format_of_prometheus(api: Api) -> None:
    await api.get("/healthz")

    reply = await api.get("/metrics", token=None)

    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    assert 'http_request_seconds_count{method="GET",route="/healthz",status="200"} 1.0' in (
        reply.text
    )


async def test_the_version_is_told(api: Api) -> None:
    reply = await api.get("/v1/version", token=None)

    assert reply.json == {"name": "sip-message-gateway", "version": VERSION}


async def test_metrics_show_what_waits_in_the_queue(office: Office) -> None:
    await office.api.post("/v1/messages", json={"to": "101", "text": "hello"})

    reply = await office.api.get("/metrics", token=None)

    assert "sip_gateway_deliveries_queued 1.0" in reply.text
