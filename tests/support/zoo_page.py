"""Makes docs/zoo.md and its picture from the manifests of the faulty servers: `python tests/support/zoo_page.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from broken_servers import BROKEN, BrokenServer, broken_servers
from tools import CHECKOUT

from sockcheck.causes.table import TABLE as CAUSES
from sockcheck.conditions.table import TABLE as CONDITIONS

PAGE = CHECKOUT / "docs" / "zoo.md"
PICTURE = CHECKOUT / "docs" / "images" / "zoo.svg"

_HEAD = """\
# The zoo

Every check is proven by a server that fails it. `tests/zoo/broken` holds {number} servers that keep their contract but
for one fault; each is run with a few happy paths of its contract (`tests/zoo/happy`) under the conditions, and must
break the laws that are listed here, no others than those that its fault may break by the way, and be told by the name
of its fault. `tests/zoo/good` holds the servers that must pass everything. This page is made from the manifests that
the tests read: `python tests/support/zoo_page.py`.

![Which server breaks which law](images/zoo.svg)

A full square is a law that the server breaks each time, a hollow one a law that it may break by the way.
"""
_CELL, _LEFT, _TOP = 13, 190, 118


def page() -> str:
    """The text of the page."""
    servers = list(broken_servers().values())
    lines = [_HEAD.format(number=len(servers))]
    titles = {entry.id: entry.title for entry in CAUSES}
    for contract, group in groupby(sorted(servers, key=lambda each: each.contract), key=lambda each: each.contract):
        lines += [f"## {contract}", "", "| server | its fault | breaks | is told as |", "|---|---|---|---|"]
        lines += [_row(server, titles) for server in group]
        lines.append("")
    lines += ["## Laws and the servers that break them", "", "| law | servers |", "|---|---|"]
    for law in _laws():
        breaking = [server.name for server in servers if law in server.laws]
        lines.append(f"| [{law}](laws/{law}.md) | {', '.join(breaking) or 'none of these: see tests/zoo/tutorial'} |")
    return "\n".join(lines) + "\n"


def _row(server: BrokenServer, titles: dict[str, str]) -> str:
    laws = ", ".join(f"[{law}](laws/{law}.md)" for law in server.laws)
    causes = "; ".join(f"{cause}: {titles[cause]}" if cause in titles else cause for cause in server.cause)
    return f"| [{server.name}](../{_source(server)}) | {server.fault} | {laws} | {causes} |"


def _source(server: BrokenServer) -> str:
    words = server.command.split()
    if words[0] == "java":
        name = f"{words[words.index('{zoo}') + 1]}.java"
    else:
        path = next(Path(word) for word in words if "/" in word)
        name = path.name if path.suffix else f"{path.name}.c"
    return str((BROKEN / name).relative_to(CHECKOUT))


def _laws() -> list[str]:
    return ["plain", *(condition.law for condition in CONDITIONS)]


def picture() -> str:
    """The matrix of servers and laws, as SVG that fits light and dark pages."""
    return "\n".join(_svg(list(broken_servers().values()), _laws())) + "\n"


def _svg(servers: Sequence[BrokenServer], laws: Sequence[str]) -> Iterator[str]:
    width, height = _LEFT + len(laws) * _CELL + 60, _TOP + len(servers) * _CELL + 10
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    yield (
        "<style>text{font:9px sans-serif;fill:#333}.line{stroke:#8884;stroke-width:1}.must{fill:#c33}"
        ".may{fill:none;stroke:#c33}@media(prefers-color-scheme:dark){text{fill:#ccc}.must{fill:#f66}.may{stroke:#f66}}"
        "</style>"
    )
    yield f"<title>{len(servers)} faulty servers, and which of {len(laws)} laws each of them breaks</title>"
    for column, law in enumerate(laws):
        x = _LEFT + column * _CELL + _CELL / 2
        yield f'<text transform="translate({x + 3},{_TOP - 6}) rotate(-60)">{escape(law)}</text>'
        yield f'<line class="line" x1="{x}" y1="{_TOP}" x2="{x}" y2="{height - 10}"/>'
    for number, server in enumerate(servers):
        y = _TOP + number * _CELL
        yield f'<text x="{_LEFT - 6}" y="{y + 10}" text-anchor="end">{escape(server.name)}</text>'
        for column, law in enumerate(laws):
            kind = "must" if law in server.laws else "may" if law in server.may else ""
            if kind:
                x = _LEFT + column * _CELL
                yield (
                    f'<rect class="{kind}" x="{x + 2}" y="{y + 2}" width="9" height="9">'
                    f"<title>{escape(server.name)}: {escape(law)}</title></rect>"
                )
    yield "</svg>"


if __name__ == "__main__":
    PAGE.write_text(page())
    PICTURE.write_text(picture())
