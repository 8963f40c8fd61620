"""The code on the pages of the laws can be compiled, as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import tools
from doc_pages import Block, blocks

PAGES = sorted((tools.CHECKOUT / "docs" / "laws").glob("*.md"))
CODE = [block for page in PAGES for block in blocks(page)]
PRELUDE = "".join(
    f"#include <{header}.h>\n"
    for header in (
        *("arpa/inet", "errno", "netinet/in", "netinet/tcp", "poll", "pthread", "signal", "stdint", "stdio", "stdlib"),
        *("string", "sys/epoll", "sys/socket", "sys/time", "sys/uio", "sys/wait", "time", "unistd"),
    )
)


def test_every_block_is_python_or_c() -> None:
    assert {block.language for block in CODE} == {"python", "c"}


@pytest.mark.parametrize(
    "block", [block for block in CODE if block.language == "python"], ids=lambda block: block.place
)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec", dont_inherit=True)


def test_c_compiles_without_a_warning(tmp_path: Path) -> None:
    files = []
    for block in CODE:
        if block.language == "c":
            file = tmp_path / f"{re.sub('[^a-z]', '_', block.page.stem)}.c"
            file.write_text(f'{PRELUDE}#line {block.line + 1} "{block.page.name}"\n{block.text}')
            files.append(file)
    done = subprocess.run(
        [
            *tools.cc(),
            "-std=c17",
            "-D_GNU_SOURCE",
            "-Wall",
            "-Wextra",
            "-Wconversion",
            "-Werror",
            "-fsyntax-only",
            *files,
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert len(files) == len(PAGES) - 1, "one for each law"
    assert done.returncode == 0, done.stderr
