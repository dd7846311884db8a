"""Templates run where they can be ended."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gateway.hooks.sandbox import MAX_SECONDS
from gateway.hooks.templates import Broken, TemplateSandbox

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture
async def templates() -> AsyncIterator[TemplateSandbox]:
    async with TemplateSandbox() as opened:
        yield opened


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ host }} is {{ state|upper }}", "web1 is DOWN"),
        ("{% for item in list %}{{ item }};{% endfor %}", "1;ä;"),
        ("{{ nested.deep['key'] }} <b>", "value <b>"),
        ("no placeholders\n", "no placeholders"),
    ],
)
async def test_a_template_gets_the_document(
    templates: TemplateSandbox, template: str, text: str
) -> None:
    document = {
        "host": "web1",
        "state": "down",
        "list": [1, "ä"],
        "nested": {"deep": {"key": "value"}},
    }

    assert await templates.render(template, document) == text


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ missing }}", id="undefined"),
        pytest.param("{{ host.missing.deeper }}", id="undefined-below"),
        pytest.param("{% if %}", id="syntax"),
        pytest.param("{{ 1 / 0 }}", id="arithmetic"),
        pytest.param("{{ host.__class__.__mro__ }}", id="inspection"),
        pytest.param("{{ list.append(1) }}", id="change"),
        pytest.param("{% include 'x' %}", id="file"),
        pytest.param("{% for a in range(99999) %}12345678{% endfor %}", id="output"),
        pytest.param("{{ 'x' * 10**12 }}", id="memory"),
        pytest.param("{{ range(10**9) }}", id="range"),
        pytest.param(LOOP, id="time"),
    ],
)
async def test_a_template_that_gives_no_text_is_broken_and_the_next_one_works(
    templates: TemplateSandbox, template: str
) -> None:
    broken = await templates.render(template, {"host": "web1", "list": []})

    assert isinstance(broken, Broken)
    assert broken.reason
    assert await templates.render("{{ host }}", {"host": "web1"}) == "web1"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ {}[text] }}", "UndefinedError, line 1"),
        ("\n{{ text | int / 0 }}", "ZeroDivisionError, line 2"),
        ("{{ missing }}\n{{ text }}", "UndefinedError, line 1"),
        ("{{ [].index(text) }}", "ValueError, line 1"),
        ("{% if %}", "Expected an expression, got 'end of statement block', line 1"),
    ],
)
async def test_the_reason_names_the_line_but_quotes_nothing_of_the_document(
    templates: TemplateSandbox, template: str, reason: str
) -> None:
    broken = await templates.render(template, {"text": "confidential"})

    assert broken == Broken(reason)


async def test_a_hanging_template_is_ended_in_time(templates: TemplateSandbox) -> None:
    started = time.monotonic()

    await templates.render(LOOP, {})

    assert time.monotonic() - started < MAX_SECONDS + 5


async def test_templates_asked_for_at_once_do_not_mix(templates: TemplateSandbox) -> None:
    texts = await asyncio.gather(
        *(templates.render("{{ number }}", {"number": number}) for number in range(20))
    )

    assert texts == [str(number) for number in range(20)]


async def test_one_that_is_not_waited_for_leaves_no_answer_behind(
    templates: TemplateSandbox,
) -> None:
    await templates.render("started", {})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await templates.render(LOOP, {})

    assert await templates.render("{{ n }}", {"n": 2}) == "2"
