"""What the benchmark found, for people or for machines."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from gateway.bench.result import LeftOut, Measured, Result
from gateway.bench.rows import Row

Found = Sequence[tuple[Row, Result]]


def table(found: Found) -> Table:
    drawn = Table("row", "work", "measured", "beside", "ratio", "aim")
    for row, result in found:
        match result:
            case Measured(text=text, rival=rival, ratio=ratio):
                shown = "" if ratio is None else f"{ratio:.2f}"
                drawn.add_row(row.name, row.work, text, rival, shown, row.aim)
            case LeftOut(why):
                drawn.add_row(row.name, row.work, f"left out: {why}", "", "", row.aim)
    return drawn


def document(found: Found) -> Sequence[Mapping[str, object]]:
    """The same as JSON."""
    return [{"row": row.name, "work": row.work, **_figures(result)} for row, result in found]


def _figures(result: Result) -> Mapping[str, object]:
    match result:
        case Measured(figures=figures, ratio=ratio):
            return {"figures": dict(figures), "ratio": ratio}
        case LeftOut(why):
            return {"left_out": why}
