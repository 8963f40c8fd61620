"""The command line: arguments in, exit code out.

Only what a command needs is imported, and only when it runs: `--help` and `list` load no trio.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sockcheck import __version__
from sockcheck.errors import SockcheckError, UsageError

BAD_USAGE, INTERNAL, INTERRUPTED = 2, 4, 130

# These start the server that is named behind --.
_TAKE_A_COMMAND = ("run", "grade", "init", "doctor", "reproduce")

_EXIT_CODES = """\
exit codes:
  0  every case passed              3  the server could not be started or reached
  1  a case failed                  4  a fault of sockcheck's own, or of the machine
  2  bad usage or a bad scenario    5  the machine was too busy to judge all cases
                                  130  interrupted; what ran is still reported
"""

_DIFF_EXIT_CODES = """\
exit codes:
  0  nothing fails that did not fail before
  1  something does, or is flaky now
  2  bad usage, or what is no record
  3, 4, 5, 130  how NEW itself ended, where not all of it could be judged
"""

_RUN_EXAMPLES = """\
examples:
  sockcheck run scenarios/echo -- python my_server.py {host} {port}
  sockcheck run scenarios/echo -- ./server                    # listens where it likes
  sockcheck run scenarios/echo --connect 127.0.0.1:7000       # runs already
  sockcheck run scenarios/                                    # the reference servers
"""

_GRADE_ABOUT = """\
Run the same scenarios against every submission of a class.

COMMAND is run once for each SUBMISSION, a file or a folder, with {submission}
filled in: a copy, in which it is run. The marks come to OUT/index.html and
OUT/grades.csv, and what is told of each submission into a folder of its own.
Given again, the same command goes on where it was interrupted.
"""

_GRADE_EXIT_CODES = """\
examples:
  sockcheck grade submissions/* -- python {submission}/server.py {port}
  sockcheck grade submissions/*.py --scenarios scenarios/echo \\
      --reference "python solution.py {port}" -- python {submission} {port}

exit codes:
  0  all are graded, whatever the marks   5  some are to be graded again
  2  bad usage, a bad scenario, or      130  interrupted; what is done is kept
     the reference does not get all points
"""

_INIT_ABOUT = """\
Write a contract and a first scenario for a server.

COMMAND is started, as `sockcheck run` starts it. What the server answers is
written down, and the promises that it was seen to keep. Without a server, a
commented example is written, to begin with. Nothing is ever overwritten.
"""

_INIT_EXAMPLES = """\
examples:
  sockcheck init -- python server.py {port}             # into scenarios/server
  sockcheck init mine -- ./server                       # into mine
  sockcheck init mine --connect 127.0.0.1:7000          # runs already
  sockcheck init mine                                   # there is no server yet
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (default: sys.argv); the exit code. It never raises for what a user does."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    split = words.index("--") if "--" in words else len(words)
    parser = _parser()
    options = parser.parse_args(words[:split])
    options.words = words
    options.command = tuple(words[split + 1 :])
    try:
        if options.command and options.verb not in _TAKE_A_COMMAND:
            raise UsageError("a command behind -- belongs to `sockcheck run`")
        if split < len(words) and not options.command:
            raise UsageError("there is no command behind --", "name the server's command: -- ./server {port}")
        code = _dispatch(options)
        # Here a reader that went away can still be told from a failure; at the interpreter's end it cannot.
        sys.stdout.flush()
        return code
    except SockcheckError as error:
        from sockcheck.commands.outputs import explained

        print(explained(error), file=sys.stderr)
        return BAD_USAGE
    except BrokenPipeError:
        # Whoever read our output has had enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(options: argparse.Namespace) -> int:
    match options.verb:
        case "run":
            from sockcheck.commands.run import run

            return run(options)
        case "grade":
            from sockcheck.commands.grade import grade

            return grade(options)
        case "report":
            from sockcheck.commands.report import report

            return report(options)
        case "diff":
            from sockcheck.commands.diff import diff

            return diff(options)
        case "check":
            return _check(options)
        case "list":
            from sockcheck.commands.list import list_cases

            return list_cases(options)
        case "explain":
            from sockcheck.commands.explain import explain

            return explain(options)
        case "init":
            from sockcheck.commands.init import init

            return init(options, main)
        case "doctor":
            from sockcheck.commands.doctor import doctor

            return doctor(options)
        case "reproduce":
            from sockcheck.commands.reproduce import reproduce

            return reproduce(options)
        case "schema":
            return _schema(options)
        case "serve":
            from sockcheck.commands.serve import serve

            return serve(options)
    raise AssertionError(options.verb)


def _check(options: argparse.Namespace) -> int:
    from sockcheck.suite import load

    scenarios = load(options.paths).scenarios
    print(f"{len(scenarios)} scenario{'s' if len(scenarios) != 1 else ''}, no mistakes")
    return 0


def _schema(options: argparse.Namespace) -> int:
    import json

    from sockcheck.reading.schema import contract_schema, scenario_schema

    print(json.dumps(contract_schema() if options.contract else scenario_schema(), indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sockcheck",
        description="Test any socket server against scenarios of what its clients do.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sockcheck {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    _add_run(verbs)
    _add_grade(verbs)
    _add_init(verbs)
    check = _add(verbs, "check", "read scenario files and show every mistake in them")
    check.add_argument("paths", metavar="PATH", nargs="+", help="scenario files, or folders of them")
    _add_list(verbs)
    explain = _add(verbs, "explain", "say what a law or a cause means, and how it is mended")
    explain.add_argument(
        "id", metavar="ID", nargs="?", help="a law, a pattern such as 'cut.*', or a cause; default: list all laws"
    )
    explain.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")
    _add_doctor(verbs)
    report = _add(verbs, "report", "make the reports of a recorded run; the exit code is that run's")
    report.add_argument(
        "records",
        metavar="RECORD",
        nargs="+",
        help="a file that `run --record` wrote; - is standard input; several are the shards of one run",
    )
    _add_reports(report, "write the record of all shards together")
    diff = _add(verbs, "diff", "say what has changed from one recorded run to another")
    diff.epilog = _DIFF_EXIT_CODES
    diff.add_argument("old", metavar="OLD", help="a record that `run --record` or `report --record` wrote")
    diff.add_argument("new", metavar="NEW", help="another; - is standard input")
    diff.add_argument("--json", action="store_true", help="the same as JSON, for programs")
    diff.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")
    _add_reproduce(verbs)
    schema = _add(verbs, "schema", "print the JSON Schema of scenario files, for editors")
    schema.add_argument("--contract", action="store_true", help="that of contract.yaml")
    serve = _add(verbs, "serve", "run a reference server in the foreground")
    serve.add_argument("name", metavar="NAME", help="a bundled contract, such as echo")
    serve.add_argument("address", metavar="ADDRESS", nargs="?", default="127.0.0.1:0", help="default: %(default)s")
    return parser


def _add_run(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = _add(verbs, "run", "run scenarios against a server")
    run.epilog = f"{_RUN_EXAMPLES}\n{_EXIT_CODES}"
    run.usage = "sockcheck run PATH [PATH ...] [options] [-- COMMAND ...]"
    run.add_argument("paths", metavar="PATH", nargs="+", help="scenario files, or folders of them")
    server = run.add_argument_group(
        "the server", "Started from COMMAND, with {host}, {port}, {dir} and {python} filled in; or running already."
    )
    server.add_argument("--connect", metavar="ADDRESS", help="use the server that listens at HOST:PORT or [IPV6]:PORT")
    server.add_argument("--port", type=int, metavar="N", help="which port to test, where COMMAND listens on several")
    server.add_argument(
        "--isolate", choices=("net",), help="give each server a network of its own, so that any address is free"
    )
    choice = run.add_argument_group("what is run")
    _add_select(choice)
    _add_conditions(choice)
    _add_strict(choice)
    choice.add_argument("--exhaustive", action="store_true", help="try every variation of a law, also of a broken one")
    _add_repeat(choice)
    choice.add_argument("--shard", metavar="N/OF", help="only this share of the cases: 2/5 is the second of five")
    choice.add_argument("--baseline", metavar="FILE", help="known failures, which fail the run only if they pass")
    choice.add_argument("--fail-fast", action="store_true", help="stop at the first case that fails")
    _add_flaky(choice)
    how = run.add_argument_group("how it is run")
    how.add_argument("--jobs", type=_count, metavar="N", help="servers at a time; default: one for each CPU")
    _add_how(how)
    _add_reports(run, "write all that happens as JSON lines")


def _add_grade(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    grade = _add(verbs, "grade", "run the same scenarios against every submission of a class")
    grade.description = _GRADE_ABOUT
    grade.usage = "sockcheck grade SUBMISSION [SUBMISSION ...] [options] -- COMMAND ..."
    grade.epilog = _GRADE_EXIT_CODES
    grade.add_argument("submissions", metavar="SUBMISSION", nargs="+", help="a file or a folder; submissions/*")
    grade.add_argument(
        "--out", metavar="OUT", default="grades", help="the folder for what comes of it; default: grades"
    )
    grade.add_argument("--afresh", action="store_true", help="grade also who is graded already")
    grade.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")
    choice = grade.add_argument_group("what is run")
    choice.add_argument(
        "--scenarios",
        action="append",
        default=[],
        metavar="PATH",
        help="a scenario file, or a folder of them; may be repeated; default: the folder scenarios that is here",
    )
    choice.add_argument(
        "--reference", metavar="COMMAND", help="a server that is right: unless it gets all points, nobody is graded"
    )
    _add_select(choice)
    _add_conditions(choice)
    _add_strict(choice)
    _add_repeat(choice)
    _add_flaky(choice)
    how = grade.add_argument_group("how it is run")
    how.add_argument("--at-once", type=_count, metavar="N", help="submissions at a time; default: one for each CPU")
    how.add_argument("--limit", metavar="TIME", default="10m", help="longest time for one submission; default: 10m")
    how.add_argument(
        "--isolate",
        choices=("net", "no"),
        help="whether each server gets a network of its own; default: where it can be had",
    )
    how.add_argument("--port", type=int, metavar="N", help="which port to test, where COMMAND listens on several")
    _add_how(how)


def _add_strict(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--strict", action="store_true", help="what nobody promised counts too, and is no mere advice")


def _add_repeat(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--repeat", type=_count, default=1, metavar="N", help="run every case N times")


def _add_flaky(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--flaky",
        choices=("fail", "pass"),
        default="fail",
        help="whether a case that failed, and did not when tried again, counts as failed; default: %(default)s",
    )


def _add_how(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--stretch", type=_factor, default=1.0, metavar="X", help="multiply every deadline")
    parser.add_argument("--timeout", metavar="TIME", help="longest time for one case, such as 30s or 2m")
    parser.add_argument(
        "--no-observe", action="store_true", help="do not ask the kernel; use gaps in place of barriers"
    )


def _add_list(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = _add(verbs, "list", "show scenarios, promises, and what a run would leave out")
    listing.add_argument("paths", metavar="PATH", nargs="+", help="scenario files, or folders of them")
    listing.add_argument("--connect", metavar="ADDRESS", help="show what a run with --connect ADDRESS would leave out")
    _add_select(listing)
    _add_conditions(listing)
    form = listing.add_mutually_exclusive_group()
    form.add_argument("--cases", action="store_true", help="only the ids of the cases, one a line")
    form.add_argument("--json", action="store_true", help="the same as JSON, for programs")


def _add_doctor(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = _add(verbs, "doctor", "say what can be cut, seen, paused and isolated here, and why not")
    doctor.usage = "sockcheck doctor [options] [-- COMMAND ...]"
    doctor.add_argument("--connect", metavar="ADDRESS", help="look at the server that listens there, too")
    doctor.add_argument("--json", action="store_true", help="the same as JSON, for bug reports")
    doctor.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")


def _add_init(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = _add(verbs, "init", "write a contract and a first scenario for a server")
    init.description = _INIT_ABOUT
    init.usage = "sockcheck init [FOLDER] [--port N] [--connect ADDRESS | -- COMMAND ...]"
    init.epilog = _INIT_EXAMPLES
    init.add_argument(
        "folder", metavar="FOLDER", nargs="?", help="where to; default: scenarios/NAME, NAME the program's"
    )
    init.add_argument(
        "--connect", metavar="ADDRESS", help="look at the server that listens at HOST:PORT or [IPV6]:PORT"
    )
    init.add_argument("--port", type=int, metavar="N", help="which port is meant, where COMMAND listens on several")
    init.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")


def _add_reproduce(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    reproduce = _add(verbs, "reproduce", "print a script that shows the fault of one case without sockcheck")
    reproduce.usage = "sockcheck reproduce CASE {--record FILE | PATH [PATH ...]} [--connect ADDRESS | -- COMMAND ...]"
    reproduce.add_argument("case", metavar="CASE", help="its id, or a part or pattern that only its id has")
    reproduce.add_argument("paths", metavar="PATH", nargs="*", help="scenario files, or folders of them")
    reproduce.add_argument("--record", metavar="FILE", help="take the case, and what was seen, from this record")
    reproduce.add_argument("--connect", metavar="ADDRESS", help="the script uses the server that listens there")
    _add_conditions(reproduce)


def _add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_select(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only cases whose id holds or matches PATTERN; may be repeated",
    )


def _add_conditions(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--conditions",
        metavar="LIST",
        help="under which laws: none, standard, thorough, or ids such as cut.*,end.half; default: what the files say",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for all that is random; default: 0")


def _add_reports(parser: argparse.ArgumentParser, record: str) -> None:
    reports = parser.add_argument_group("reports")
    reports.add_argument(
        "--junit", metavar="FILE", help="write a JUnit XML report; here and below, - is standard output"
    )
    reports.add_argument("--html", metavar="FILE", help="write an HTML report")
    reports.add_argument("--gradescope", metavar="FILE", help="write results.json for Gradescope")
    reports.add_argument("--ctrf", metavar="FILE", help="write a report in the Common Test Report Format")
    reports.add_argument(
        "--github",
        action=argparse.BooleanOptionalAction,
        help="annotate lines and write the step's summary; default: in GitHub Actions",
    )
    reports.add_argument("--record", metavar="FILE", help=record)
    reports.add_argument("--write-baseline", metavar="FILE", help="write what fails as a file for --baseline")
    loudness = reports.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_const", const=1, default=0, dest="verbosity")
    loudness.add_argument("-q", "--quiet", action="store_const", const=-1, dest="verbosity")
    reports.add_argument("--no-color", action="store_true", help="no colour, as with the variable NO_COLOR")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _factor(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number
