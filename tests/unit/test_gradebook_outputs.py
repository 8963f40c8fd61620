"""The table of a class as CSV, as a page and on the terminal, with names and texts that mean ill."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from lxml import html as parser
from report_builder import HOSTILE
from rich.cells import cell_len

from sockcheck_reports import gradebook_csv, gradebook_html, gradebook_text
from sockcheck_reports.gradebook import Fault, Gradebook, Mark, Marks, Submission

NAMES = (
    *("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "a,b", 'a"b', "a\nb", "../../x", "\udcff"),
    *("</style><script>document.title='owned'</script>", "{{7*7}}", "x" * 400, "日本語" * 40, "\u202egpj.exe"),
    *("\x1b[31m", HOSTILE.decode("latin-1")),
)
ROWS = (
    Mark("echo/hello", "plain", 2.0, "earned", "", True),
    Mark("echo/hello", "cut.at-k", 2.0, "lost", "1 of 5 cases failed", True),
    Mark("echo/<b>&", "@law", 1.0, "regrade", "it is busy", False),
    Mark("echo/such", "plain", 1.0, "left-out", "no", True),
)
FAULT = Fault("one-recv", "cut.at-k", "takes <one> recv()", 3)


def submission(name: str, *, rows: tuple[Mark, ...] = ROWS, why_open: tuple[str, ...] = ()) -> Submission:
    return Submission(name, "folder-1", 42, Marks(rows, (FAULT,), (), why_open, "", 2.0))


def hostile() -> Gradebook:
    """A submission of each name, in every status, with whatever else others write."""
    given = [submission(name, why_open=(name,) if number % 3 == 0 else ()) for number, name in enumerate(NAMES)]
    given += [Submission("waits", "waits", 1), Submission("lost", "lost", 1, None, HOSTILE.decode("latin-1"))]
    never = Marks(ROWS[:2], (), (), (), "=cmd()", 0.1)
    given.append(Submission("never", "never", 1, never))
    return Gradebook(tuple(given), ("sockcheck", "grade", *NAMES), ("scenarios/<i>",), 3, "Interrupted by <SIGINT>")


def table(book: Gradebook) -> list[list[str]]:
    return list(csv.reader(io.StringIO(gradebook_csv.render(book).removeprefix("\ufeff"), newline="")))


def test_no_field_of_the_csv_acts_or_breaks_a_line() -> None:
    text = gradebook_csv.render(hostile())
    rows = table(hostile())
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == len(NAMES) + 4
    assert text.count("\r\n") == len(rows)
    fields = [field for row in rows for field in row]
    assert all(field.isprintable() for field in fields)
    assert [field for field in fields if field.startswith(tuple("=+-@\uff1d"))] == []
    assert rows[1][0] == "'=HYPERLINK(1)"
    assert rows[3][0] == "'-1"


def test_what_is_no_grade_has_no_points_and_no_zero() -> None:
    made = hostile()
    head, *rows = table(made)
    assert head == [
        *("submission", "status", "points", "of", "reason", "causes", "seed", "folder"),
        *("echo/<b>& [@law] (1)", "echo/hello (2)", "echo/hello [cut.at-k] (2)"),
    ]
    open_, graded = rows[0], rows[1]
    assert open_[1:4] == ["regrade", "", ""]
    assert graded[1:4] == ["graded", "2", "5"]
    assert graded[5:] == ["one-recv", "42", "folder-1", "regrade", "2", "0"]
    assert rows[-3] == ["waits", "waiting", "", "", "", "", "1", "waits", "", "", ""]
    assert rows[-1][4] == "the server did not start: =cmd()"
    assert rows[-1][5] == "no-start"


def test_the_csv_has_a_byte_order_mark_where_a_name_is_not_ascii() -> None:
    assert gradebook_csv.render(Gradebook((submission("Jörg"),), (), (), 0)).startswith("\ufeffsubmission,")
    assert gradebook_csv.render(Gradebook((submission("Joerg"),), (), (), 0)).startswith("submission,")


def test_the_page_takes_nothing_for_markup_and_leads_to_every_report() -> None:
    page = gradebook_html.render(hostile())
    root = parser.document_fromstring(page)
    assert {str(element.tag) for element in root.iter()} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "article", "h1", "h2", "h3"),
        *("p", "b", "a", "ul", "li", "dl", "dt", "dd", "code", "span", "div", "meter"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    [policy] = [content for element in root.iter("meta") if (content := element.get("content") or "").count(";") > 1]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'", policy)
    links = [link for element in root.iter() if (link := element.get("href"))]
    identifiers = [name for element in root.iter() if (name := element.get("id"))]
    assert len(identifiers) == len(set(identifiers))
    assert {link[1:] for link in links if link.startswith("#")} <= set(identifiers)
    files = {link for link in links if not link.startswith("#")}
    assert {"grades.csv", "folder-1/report.html", "folder-1/instructor.html", "never/feedback.txt"} <= files
    assert not any(link.startswith(("waits/", "lost/")) for link in files)


def test_a_submission_whose_rows_are_all_visible_has_one_report() -> None:
    page = gradebook_html.render(Gradebook((submission("ada", rows=ROWS[:2]),), (), (), 0))
    assert "folder-1/report.html" in page
    assert "instructor.html" not in page


def test_an_empty_class_is_told_in_every_form() -> None:
    nobody = Gradebook((), ("sockcheck", "grade"), ("scenarios",), 0)
    assert "0 submissions" in gradebook_html.render(nobody)
    assert len(table(nobody)) == 1
    assert gradebook_text.render(nobody).splitlines()[-1] == "0 submissions"


@pytest.mark.parametrize("width", [60, 80])
def test_on_the_terminal_no_line_is_too_long_and_nothing_acts(width: int) -> None:
    text = gradebook_text.render(hostile(), width=width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert all(line.isprintable() for line in text.splitlines())
    said = [
        gradebook_text.progress(each, 7, 300, names=30, width=width)
        for each in (*hostile().submissions, Submission("waits", "waits", 1))
    ]
    assert all(line.endswith("\n") and line[:-1].isprintable() and cell_len(line[:-1]) <= width for line in said)


def test_the_terminal_tells_points_causes_and_what_was_written() -> None:
    made = Gradebook(
        (submission("ada", rows=ROWS[:2]), replace(submission("bob"), trouble="it was stopped")), (), (), 0
    )
    assert gradebook_text.render(made, written=["grades/index.html"]) == (
        "ada  2 of 4  one-recv\n"
        "bob  2 of 5  one-recv\n"
        "\n"
        "Who fails for the same cause:\n"
        "  The server takes <one> recv() (one-recv): 2 submissions\n"
        "    ada, bob\n"
        "\n"
        "2 submissions: 2 graded\n"
        "grades/index.html\n"
    )
    assert "\x1b[" in gradebook_text.render(made, colour=True)


def test_feedback_begins_with_the_points_that_a_student_may_see() -> None:
    marks = Marks(ROWS, (), (), (), "", 1.0)
    assert gradebook_text.heading("ada", marks) == (
        "ada\n"
        "2 of 4 points, of what is shown here; there is more that counts\n"
        "\n"
        "Not earned:\n"
        "    2  echo/hello [cut.at-k]: 1 of 5 cases failed\n"
        "\n"
    )
    assert gradebook_text.heading("a\nb", replace(marks, rows=ROWS[:1])) == "a\\nb\n2 of 2 points\n\n"
    assert "REGRADE" in gradebook_text.heading("ada", replace(marks, why_open=("echo/secret is busy",)))
    assert "secret" not in gradebook_text.heading("ada", replace(marks, why_open=("echo/secret is busy",)))
    gated = replace(ROWS[0], standing="lost", why="gated by echo/<b>&")
    assert "a gate was not passed" in gradebook_text.heading("ada", replace(marks, rows=(gated, ROWS[2])))
