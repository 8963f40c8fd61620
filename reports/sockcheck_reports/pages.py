"""What every HTML page is made with: templates that take no data for markup, and a policy that lets nothing act."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from .excerpt import clipped, plain


@cache
def environment() -> Environment:
    """The templates. The filters `plain` and `clipped` make foreign texts fit to be shown."""
    made = Environment(
        loader=PackageLoader("sockcheck_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = plain
    made.filters["clipped"] = clipped
    return made


@cache
def asset(name: str) -> str:
    """A file that goes into the page as it is."""
    made = environment()
    assert made.loader
    return made.loader.get_source(made, name)[0].strip()


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy that allows this style sheet, this script, and nothing else."""
    rules = ["default-src 'none'", f"style-src {_hash(style)}", "base-uri 'none'", "form-action 'none'"]
    if script:
        rules[2:2] = [f"script-src {_hash(script)}"]
        rules += ["require-trusted-types-for 'script'", "trusted-types 'none'"]
    return "; ".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
