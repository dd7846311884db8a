"""The webhook format ``alertmanager``: Prometheus Alertmanager's payload, version 4."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.hooks.notification import JsonObject, Notification, clipped, flat_text

_MAX_ALERTS = 10
_SAID_BY = ("summary", "description", "message")


class _Alert(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: str = Field(default="", alias="startsAt")
    fingerprint: str = ""


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: str
    alerts: tuple[_Alert, ...] = Field(min_length=1)
    group_key: str = Field(alias="groupKey")
    group_labels: dict[str, str] = Field(default={}, alias="groupLabels")
    common_labels: dict[str, str] = Field(default={}, alias="commonLabels")
    truncated_alerts: int = Field(default=0, alias="truncatedAlerts")


def read_alertmanager(document: JsonObject) -> Notification:
    """One text for the group; a document of another shape is told as it is."""
    try:
        group = _Group.model_validate(document)
    except ValidationError:
        return Notification(text=flat_text(document))
    return Notification(text=_text(group), duplicate_key=_duplicate_key(group))


def _duplicate_key(group: _Group) -> str:
    """The same alerts in the same state: a retry, or the other one of a pair."""
    alerts = sorted(
        (alert.fingerprint, alert.status, alert.starts_at) for alert in group.alerts
    )
    content = json.dumps([group.group_key, group.status, alerts])
    return hashlib.sha256(content.encode()).hexdigest()


def _text(group: _Group) -> str:
    shown = group.alerts[:_MAX_ALERTS]
    lines = [_heading(group), *(_line(alert, group) for alert in shown)]
    if more := len(group.alerts) - len(shown) + group.truncated_alerts:
        lines.append(f"({more} more)")
    return "\n".join(lines)


def _heading(group: _Group) -> str:
    counted = [alert for alert in group.alerts if alert.status == group.status]
    labels = {**group.group_labels, **_shared(group, "alertname", "severity")}
    name = labels.pop("alertname", "alerts")
    others = " ".join(f"{label}={value}" for label, value in sorted(labels.items()))
    count = len(counted) + group.truncated_alerts
    return clipped(f"[{group.status.upper()}:{count}] {name} {others}")


def _shared(group: _Group, *names: str) -> dict[str, str]:
    return {name: group.common_labels[name] for name in names if name in group.common_labels}


def _line(alert: _Alert, group: _Group) -> str:
    said = next((alert.annotations[name] for name in _SAID_BY if name in alert.annotations), "")
    common = {**group.common_labels, **group.group_labels}
    own = " ".join(
        f"{label}={value}"
        for label, value in sorted(alert.labels.items())
        if label not in common
    )
    state = "" if alert.status == group.status else f"{alert.status}: "
    what = f"{said} ({own})" if said and own else said or own or alert.status
    return clipped(f"- {state}{what}")
