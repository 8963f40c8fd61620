"""Rows of a timeline, and how long runs of them are folded."""

from dataclasses import replace

from sockcheck_reports.rows import Row, fold_rows, join_rows


def many(number: int) -> list[Row]:
    return [
        row
        for at in range(number)
        for row in (
            Row(at, "->", "client", "sent", b"x", 64_000, "sent"),
            Row(at, "<-", "client", "received", b"x", 1, "received"),
        )
    ]


def test_a_short_run_is_not_folded() -> None:
    assert fold_rows(many(7)) == tuple(many(7))


def test_the_middle_of_a_long_run_is_counted() -> None:
    end = Row(200, "<-", "client", "end")
    folded = fold_rows([*many(100), Row(100, " |", "", "stdout", b"x", 1, "output"), *many(8), end])
    assert len(folded) == 12
    assert (folded[5].mark, folded[5].what) == (
        "..",
        "103 more segments sent, 6.6 MB; 103 more pieces received, 103 bytes; 1 other event",
    )
    assert folded[-1] == end


def test_what_the_verdict_rests_on_is_not_folded_away() -> None:
    run = many(50)
    run[50] = replace(run[50], decisive=True)
    folded = fold_rows(run)
    assert run[50] in folded
    assert len(folded) == 23


def test_no_timeline_is_endless() -> None:
    assert len(fold_rows([Row(at, "--", "", f"{at}") for at in range(5000)])) == 121


def crowd(clients: int) -> list[Row]:
    steps = (
        Row(0, "--", "", "connected", kind="connected"),
        Row(100, "->", "", "sent", b"abc", 3, "sent"),
        Row(200, "<-", "", "end of stream", kind="ended"),
    )
    return [
        replace(step, at=step.at + client, client=f"crowd[{client}]") for step in steps for client in range(clients)
    ]


def test_of_a_crowd_a_few_stand_for_all() -> None:
    names = {f"crowd[{client}]" for client in range(20)}
    folded = fold_rows(crowd(20), names)
    assert [row.client for row in folded] == ["crowd[0]", "crowd[1]", "", "crowd[18]", "crowd[19]"]
    assert (
        folded[2].what
        == "18 more connections; 20 more segments sent, 60 bytes; 18 more endings (crowd[0] to crowd[19])"
    )


def test_what_one_of_the_crowd_is_accused_of_stands_out() -> None:
    names = {f"crowd[{client}]" for client in range(20)} - {"crowd[9]"}
    own = [row for row in fold_rows(crowd(20), names) if row.client == "crowd[9]"]
    assert [row.what for row in own] == ["connected", "sent", "end of stream"]


def test_a_small_crowd_is_told_as_it_is() -> None:
    assert fold_rows(crowd(2), {"crowd[0]", "crowd[1]"}) == tuple(crowd(2))


def test_clients_that_were_not_judged_for_the_same_reason_share_a_row() -> None:
    rows = [Row(1, "--", name, "not judged", kind="released") for name in ("crowd[1]", "crowd[0]", "crowd[2]", "bob")]
    server = Row(2, "--", "server", "stops here")
    joined = join_rows([*rows, server, rows[0]])
    assert [(row.client, row.what) for row in joined] == [
        ("", "bob and crowd[0] to crowd[2]: not judged"),
        ("server", "stops here"),
        ("crowd[1]", "not judged"),
    ]


def test_excerpts() -> None:
    row = Row(0, "->", "bob", "sent 20 bytes", b"SET ${key} 1", 20)
    assert row.excerpt(80) == '"SET ${key} 1" + 8 bytes'
    assert replace(row, known="named").excerpt(80) == '"SET ${key} 1"'
    assert replace(row, known="named").excerpt(10) == '"SET ${k"…'
    assert replace(row, known="named-beginning").excerpt(80) == '"SET ${key} 1"…'
    assert replace(row, data=b"").excerpt(80) == ""
