"""What doctor says of an endpoint."""

import pytest
from pydantic import SecretStr

from gateway.config import WebhookEndpoint
from gateway.webhooks.diagnosis import diagnose_endpoint
from tests.webhook_receiver import SECRET


@pytest.mark.parametrize(
    ("url", "private_networks", "grade", "hint"),
    [
        pytest.param("https://1.1.1.1/events", False, "ok", "1.1.1.1", id="public"),
        pytest.param("http://127.0.0.1:8000/", True, "ok", "127.0.0.1", id="this-machine"),
        pytest.param("https://10.0.0.7/", True, "ok", "events *", id="office"),
        pytest.param("http://10.0.0.7/", True, "warn", "use https", id="readable"),
        pytest.param("https://10.0.0.7/", False, "fail", "private_networks = true", id="shut"),
        pytest.param("http://169.254.169.254/", True, "fail", "set url", id="never"),
        pytest.param("https://no-such-host.invalid/", False, "warn", "check url", id="unknown"),
        pytest.param("https://a..b/", False, "warn", "check url", id="no-name"),
    ],
)
async def test_doctor_says_whether_an_endpoint_is_reached(
    url: str, *, private_networks: bool, grade: str, hint: str
) -> None:
    endpoint = WebhookEndpoint(
        url=url, secret=SecretStr(SECRET), private_networks=private_networks
    )

    found = await diagnose_endpoint(endpoint)

    assert found[0] == grade
    assert hint in found[1]
