"""What `sockcheck explain` shows of pages, and the list of all laws."""

from __future__ import annotations

from sockcheck_reports.law import in_short, overview, render

ESCAPE = "\x1b["

PAGE = """\
# cut.at-k

A message may arrive in two pieces.

## What is tried

Each send is cut, see [cut and merged
for certain](../barriers.md), at `a place * of * the send`. The server *fails* at **any** of them, which it should not.

Nothing else.

## The server that breaks it

```python
def serve(connection):

    connection.sendall(connection.recv(1024))  # and this line is a good deal longer than the terminal is wide
```

It is this:

- a server
  of [`one`](one.md) recv()
- another one

## How to mend it

### Python

```python
pass
```
"""

EXPECTED = """\
cut.at-k

  A message may arrive in two pieces.

What is tried

  Each send is cut, see cut and merged for certain, at `a
  place * of * the send`. The server fails at any of them,
  which it should not.

  Nothing else.

The server that breaks it

      def serve(connection):

          connection.sendall(connection.recv(1024))  # and this line is a good deal longer than the terminal is wide

  It is this:

  - a server of `one` recv()
  - another one

How to mend it

  Python

      pass
"""


def test_a_page_is_laid_out_for_the_terminal() -> None:
    assert render(PAGE, width=60) == EXPECTED


def test_lines_are_as_long_as_the_terminal_is_wide_but_sixty_at_least() -> None:
    assert render(PAGE, width=20) == render(PAGE, width=60)
    assert (
        "\n  Each send is cut, see cut and merged for certain, at `a place * of * the send`. The server fails\n"
        in render(PAGE, width=100)
    )


def test_headings_are_bold_where_there_is_colour() -> None:
    shown = render(PAGE, width=60, colour=True)
    assert f"{ESCAPE}1mcut.at-k{ESCAPE}0m\n" in shown
    assert f"{ESCAPE}1mWhat is tried{ESCAPE}0m\n" in shown
    assert f"  {ESCAPE}1mPython{ESCAPE}0m\n" in shown
    assert shown.replace(f"{ESCAPE}1m", "").replace(f"{ESCAPE}0m", "") == EXPECTED


def test_several_in_short_are_their_sentences_and_what_is_tried() -> None:
    short = EXPECTED.splitlines()
    once = "\n".join([short[0], short[2], "", *short[6:9], ""])
    assert in_short([PAGE, PAGE], width=60) == f"{once}\n{once}"


def test_the_list_of_all_is_in_two_columns() -> None:
    laws = [
        ("plain", "The exchange works."),
        ("plain.again", "What worked once works again, on a new connection to the same server."),
    ]
    assert overview(laws, width=60) == (
        "plain        The exchange works.\n"
        "plain.again  What worked once works again, on a new\n"
        "             connection to the same server.\n"
    )
    coloured = overview(laws, width=60, colour=True)
    assert f"{ESCAPE}1mplain{ESCAPE}0m        The exchange works.\n" in coloured
