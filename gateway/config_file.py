"""Reads the settings: defaults < file < GATEWAY_* environment < command line."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import platformdirs
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from gateway.config import APP, Settings
from gateway.errors import ConfigError

FILE_NAME = "gateway.toml"
ENV_PREFIX = "GATEWAY_"
ENV_FILE = "GATEWAY_CONFIG"

_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@]*):[^@/]*@")
_MODEL_OF_SECRET = {"password": "password_file", "secret": "secret_file"}
_FILES = (
    ("sip", "tls_certificate"),
    ("sip", "tls_private_key"),
    ("sip", "tls_ca"),
    ("http", "tls_certificate"),
    ("http", "tls_private_key"),
)


def find_file(explicit: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: as told, else by environment, else in the usual places, else none."""
    if explicit is not None:
        return explicit
    if named := environ.get(ENV_FILE):
        return Path(named)
    user_folder = platformdirs.user_config_path(APP, appauthor=False)
    for path in (Path(FILE_NAME), user_folder / FILE_NAME):
        if path.exists():
            return path
    return None


def load(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The effective settings; raises ConfigError that names file, key and remedy."""
    values = _read(path) if path else {}
    merged = _merge(_merge(values, _environment(environ)), overrides or {})
    base = path.parent if path else Path()
    try:
        return Settings.model_validate(_with_files(_with_secrets(merged, base), base))
    except ValidationError as exc:
        raise ConfigError(_explain(exc, path, environ)) from exc


def masked(settings: Settings) -> dict[str, Any]:
    """The effective settings as plain values, secrets masked."""
    values: dict[str, Any] = settings.model_dump(mode="json")
    url = _PASSWORD_IN_URL.sub(r"\1:**********@", settings.database_url)
    values["database"] |= {"url": url, "auto_upgrade": settings.auto_upgrade}
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise ConfigError(
            f"{path}: there is no such file; sip-gateway init writes one"
        ) from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from exc
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: is not valid TOML: {exc}") from exc


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """``GATEWAY_HTTP__PORT=9000`` -> ``{"http": {"port": 9000}}``; lists as JSON."""
    values: dict[str, Any] = {}
    for name, (*sections, key) in _variables(environ).items():
        place = values
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                above = name[: name.upper().index(f"__{key.upper()}")]
                raise ConfigError(f"{name}: {above} is set too, and is no section; unset one")
        place[key] = _plain_or_json(environ[name])
    return values


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """``GATEWAY_HTTP__PORT`` -> ``("http", "port")``, for each that is ours."""
    return {
        name: tuple(name[len(ENV_PREFIX) :].lower().split("__"))
        for name in environ
        if name.upper().startswith(ENV_PREFIX) and name.upper() != ENV_FILE
    }


def _plain_or_json(text: str) -> Any:
    if text[:1] in {"[", "{"} or text in {"true", "false"} or text.isdecimal():
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]  # both are
    return merged


def _with_files(values: dict[str, Any], base: Path) -> dict[str, Any]:
    """Names of files are meant from the folder of the file that has them."""
    for section, key in _FILES:
        owner = values.get(section)
        name = owner.get(key) if isinstance(owner, Mapping) else None
        if isinstance(name, str) and name:
            values = _merge(values, {section: {key: base / name}})
    return values


def _with_secrets(values: dict[str, Any], base: Path) -> dict[str, Any]:
    """Put what ``password_file`` and ``secret_file`` hold where it belongs."""
    for section, key in (("sip", "accounts"), ("hooks", "sources"), ("webhooks", "endpoints")):
        owner = values.get(section)
        items = owner.get(key) if isinstance(owner, Mapping) else None
        if isinstance(items, Sequence) and not isinstance(items, str):
            read = [_with_secret(item, base, f"{section}.{key}") for item in items]
            values = _merge(values, {section: {key: read}})
    if "database" in values:
        values = {**values, "database": _with_secret(values["database"], base, "database")}
    return values


def _with_secret(item: Any, base: Path, where: str) -> Any:
    if not isinstance(item, Mapping):
        return item
    for secret, file_key in _MODEL_OF_SECRET.items():
        if name := item.get(file_key):
            path = base / str(name)
            try:
                text = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise ConfigError(f"{where}: {file_key} {path} cannot be read: {exc}") from exc
            return {**item, secret: SecretStr(text)}
    return item


def _explain(exc: ValidationError, path: Path | None, environ: Mapping[str, str]) -> str:
    lines = []
    errors = exc.errors(include_url=False, include_input=False)
    for error in errors:
        location = error["loc"]
        if error["type"] == "too_short" and _has_deeper(errors, location):
            continue  # the items are there, but wrong
        source = _variables_behind(environ, location) or path or "the defaults"
        what = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            what = "unknown key" + _nearest(location)
        elif error["type"] == "tuple_type":
            what = 'is a list, in square brackets: ["..."]'
        lines.append(f"{source}: {_dotted(location)}: {what}")
    return "\n".join(dict.fromkeys(lines))


def _has_deeper(errors: Sequence[ErrorDetails], location: tuple[int | str, ...]) -> bool:
    depth = len(location)
    return any(e["loc"][:depth] == location and len(e["loc"]) > depth for e in errors)


def _variables_behind(environ: Mapping[str, str], location: tuple[int | str, ...]) -> str:
    """Those that hold what is at *location*, or something in it, as they were given."""
    names = []
    for name, place in _variables(environ).items():
        depth = min(len(place), len(location))
        if depth and place[:depth] == location[:depth]:
            value = _plain_or_json(environ[name])
            names += [name] if _reaches(value, location[depth:]) else []
    return ", ".join(names)


def _reaches(value: Any, location: tuple[int | str, ...]) -> bool:
    """Whether *value* has something at *location*; a list, whatever is in it."""
    if not location or not isinstance(value, Mapping):
        return True
    return location[0] in value and _reaches(value[location[0]], location[1:])


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "the whole"


def _nearest(location: tuple[int | str, ...]) -> str:
    """Ask the models which keys stand where the unknown one does."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            models = [t for t in (annotation, *get_args(annotation)) if isinstance(t, type)]
            model = next((t for t in models if issubclass(t, BaseModel)), model)
    near = difflib.get_close_matches(
        str(location[-1]), list(model.model_fields), n=1, cutoff=0.5
    )
    known = ", ".join(model.model_fields)
    return f"; did you mean {near[0]}?" if near else f"; known here: {known}"
