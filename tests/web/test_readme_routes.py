"""The README speaks of no route that is not there, and of each that is."""

import re
from pathlib import Path

from tests.web.conftest import Office

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


async def test_the_readme_and_the_route_table_agree(office: Office) -> None:
    named = set(
        re.findall(r"`(?:GET |POST )?(/(?:v1/|healthz|readyz|metrics|openapi)[^`? ]*)`", README)
    )

    assert named == {route.path for route in office.server.routes}
