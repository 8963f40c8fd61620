"""The palette of the HTML report: every text can be read on every ground that it stands on (WCAG 2.2, 1.4.3: 4.5)."""

import re

import pytest

from sockcheck_reports import pages

ROOTS = re.findall(r":root \{(.*?)\}", pages.asset("report.css"), re.DOTALL)
GROUNDS = ("page", "card", "well", "tint")
TEXTS = ("ink", "soft", "fail", "error", "pass", "skip", "link")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in ("page", "card")),
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("well", "tint")),
    ("fail", "tint"),
    ("ink", "expected"),
    ("ink", "actual"),
    ("card", "fail"),
    ("page", "ink"),
]


def palette(number: int) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", ROOTS[number]))


def luminance(colour: str) -> float:
    """As WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_text_can_be_read(number: int, text: str, ground: str) -> None:
    colours = palette(number)
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_there_are_three_palettes_of_the_same_names() -> None:
    assert len(ROOTS) == 3
    assert set(palette(0)) == set(palette(1)) == set(palette(2))
