"""The signature that receivers check."""

from datetime import UTC, datetime

from gateway.webhook_endpoint import signing_keys
from gateway.webhooks.signature import signed_headers
from tests.webhook_receiver import OLD_SECRET, SECRET

REFERENCE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


def test_the_published_vector_of_standard_webhooks_is_met() -> None:
    headers = signed_headers(signing_keys(REFERENCE), "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, BODY)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_during_a_rotation_each_secret_signs() -> None:
    new, old = (
        signed_headers(signing_keys(secret), "evt_1", AT, BODY)["webhook-signature"]
        for secret in (SECRET, OLD_SECRET)
    )

    both = signed_headers(signing_keys(f"{SECRET}\n{OLD_SECRET}\n"), "evt_1", AT, BODY)

    assert both["webhook-signature"] == f"{new} {old}"
