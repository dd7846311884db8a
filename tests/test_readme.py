"""The README names every setting, command, verb and route."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from gateway.cli import main
from gateway.config import Settings
from gateway.phone import Verb

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
            continue
        yield prefix + name
        for item in get_args(field.annotation):
            if isinstance(item, type) and issubclass(item, BaseModel):
                yield from keys(item)


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name


@pytest.mark.parametrize("key", list(dict.fromkeys(keys(Settings))))
def test_every_setting_is_in_the_table(key: str) -> None:
    assert re.search(rf"`{re.escape(key)}`", README)


@pytest.mark.parametrize("command", list(commands(main)))
def test_every_command_is_there(command: str) -> None:
    words = command.split()

    assert all(word in README for word in words)
    assert re.search(rf"`(sip-gateway )?{re.escape(command)}\b|, `{words[-1]}\b", README)


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_is_there_by_both_names(verb: Verb) -> None:
    assert f"`{verb}`" in README
    assert f"`{verb.dde_name}`" in README
