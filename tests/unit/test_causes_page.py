"""docs/causes.md says what the table holds."""

import causes_page

PAGE = causes_page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_that_of_the_table() -> None:
    assert causes_page.page(PAGE) == PAGE, "run `python tests/support/causes_page.py` and look at what it changed"
