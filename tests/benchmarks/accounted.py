"""Runs sockcheck and writes down what that took: python accounted.py RESULT ARGUMENTS…

RESULT gets user and system time of this process, that of the children it waited for, and its largest resident set.
"""

import sys
from pathlib import Path


def main() -> int:
    from sockcheck.cli import main as run

    code = run(sys.argv[2:])

    import json
    import resource

    ours, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    # ru_maxrss begins with that of whoever started us; this begins anew with execve().
    peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    cost = {
        "cpu": ours.ru_utime + ours.ru_stime,
        "children": theirs.ru_utime + theirs.ru_stime,
        "peak": int(peak) * 1024,
    }
    Path(sys.argv[1]).write_text(json.dumps(cost))
    return code


if __name__ == "__main__":
    sys.exit(main())
