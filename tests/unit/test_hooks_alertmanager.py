"""What phones show of Alertmanager's groups."""

from typing import Any

import pytest

from gateway.hooks.alertmanager import read_alertmanager


def alert(instance: str, status: str = "firing", **annotations: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "DiskFull", "instance": instance},
        "annotations": annotations,
        "startsAt": "2026-06-01T11:58:00Z",
        "fingerprint": instance,
    }


def group(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": "key",
        "status": "firing",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"alertname": "DiskFull"},
        "alerts": list(alerts),
        **changes,
    }


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param(
            group(alert("web1", summary="95 % used", description="long"), alert("web2")),
            "[FIRING:2] DiskFull\n- 95 % used (instance=web1)\n- instance=web2",
            id="summary-or-labels",
        ),
        pytest.param(
            group(alert("web1", description="disk\n  is full")),
            "[FIRING:1] DiskFull\n- disk is full (instance=web1)",
            id="description-on-one-line",
        ),
        pytest.param(
            group(alert("web1", "resolved", summary="ok"), status="resolved"),
            "[RESOLVED:1] DiskFull\n- ok (instance=web1)",
            id="resolved",
        ),
        pytest.param(
            group(alert("web1"), alert("web2", "resolved")),
            "[FIRING:1] DiskFull\n- instance=web1\n- resolved: instance=web2",
            id="one-of-two-resolved",
        ),
        pytest.param(
            group(alert("web1"), groupLabels={"site": "b", "area": "a"}, commonLabels={}),
            "[FIRING:1] alerts area=a site=b\n- alertname=DiskFull instance=web1",
            id="grouped-by-others",
        ),
        pytest.param(
            group(alert("web1"), truncatedAlerts=4),
            "[FIRING:5] DiskFull\n- instance=web1\n(4 more)",
            id="truncated-by-alertmanager",
        ),
        pytest.param(
            group({"status": "firing"}),
            "[FIRING:1] DiskFull\n- firing",
            id="an-alert-without-anything",
        ),
    ],
)
def test_a_group_is_one_readable_text(document: dict[str, Any], text: str) -> None:
    assert read_alertmanager(document).text == text


def test_a_large_group_shows_ten_and_counts_the_rest() -> None:
    lines = read_alertmanager(group(*(alert(f"web{n}") for n in range(25)))).text.splitlines()

    assert len(lines) == 12
    assert lines[0] == "[FIRING:25] DiskFull"
    assert lines[-1] == "(15 more)"


def test_a_long_line_is_clipped() -> None:
    text = read_alertmanager(group(alert("web1", summary="x" * 1000))).text

    assert len(text.splitlines()[1]) == 300


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"status": "firing"}, id="no-alerts"),
        pytest.param(group(), id="no-alert"),
        pytest.param(group({"labels": {"a": 1}, "status": "firing"}), id="number-label"),
        pytest.param(group("web1"), id="text-alert"),  # type: ignore[arg-type]  # what is tested
    ],
)
def test_a_document_of_another_shape_is_told_as_it_is(document: dict[str, Any]) -> None:
    notification = read_alertmanager(document)

    assert "status: firing" in notification.text
    assert notification.duplicate_key == ""


def test_the_order_of_the_alerts_does_not_make_another_notification() -> None:
    one = read_alertmanager(group(alert("web1"), alert("web2")))
    other = read_alertmanager(group(alert("web2"), alert("web1")))

    assert one.duplicate_key == other.duplicate_key != ""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(group(alert("web1"), groupKey="other"), id="group"),
        pytest.param(group(alert("web1"), status="resolved"), id="status"),
        pytest.param(group(alert("web1", "resolved")), id="alert-status"),
        pytest.param(group(alert("web1"), alert("web2")), id="one-more"),
        pytest.param(group({**alert("web1"), "startsAt": "2026-06-02"}), id="start"),
    ],
)
def test_what_changed_is_another_notification(other: dict[str, Any]) -> None:
    first = read_alertmanager(group(alert("web1")))

    assert read_alertmanager(other).duplicate_key != first.duplicate_key
