"""The reference servers in processes of their own, and the least that each can be asked, through plain sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HARNESS = Path(__file__).resolve().parents[2] / "harness"
GREETING = b"Welcome to the server. Type something and hit enter\n"
PROMPTLY = 30.0  # seconds: a backstop for a busy machine, never a measure of speed

SEQUENTIAL = ("echo-once",)


class Server:
    """A reference server, on a port that the kernel chose."""

    def __init__(self, name: str, host: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self.process = process
        self._chatting: dict[socket.socket, bytes] = {}
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith(f"{name}: listening on "), said
        self.address = (host, int(said.rsplit(":", 1)[1]))

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        """Return a connection that is ready for requests: greeted, or with a name of its own.

        With a `receive_buffer`, in bytes, segments are small too.
        """
        client = self.knock(receive_buffer)
        if self.name == "reply":
            assert read_exactly(client, len(GREETING)) == GREETING
        if self.name == "chat":
            name = b"c%d" % len(self._chatting)
            self._chatting[client] = name
            ask(client, name + b"\n", b"* welcome " + name + b"\n")
        return client

    def knock(self, receive_buffer: int = 0) -> socket.socket:
        """Return a connection, and no more."""
        client = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        client.settimeout(PROMPTLY)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        client.connect(self.address)
        return client

    def request(self, line: bytes) -> bytes:
        """What a client sends to say `line`."""
        return frame(line) if self.name == "frames" else line

    def answer(self, line: bytes) -> bytes:
        """What it gets for that."""
        match self.name:
            case "reply":
                return b"OK..." + line
            case "hello":
                return b"Hello Node!\n"
            case "frames":
                return frame(line[::-1])
            case "kv":
                return b"ERR there are SET, GET, DEL and QUIT\n"
            case "chat":
                return b""
            case _:
                return line

    def converse(self, client: socket.socket, line: bytes) -> None:
        """Say `line`, and see it answered. In a chat another client, which is there for that, hears it."""
        if self.name == "chat":
            with self.connect() as other:
                client.sendall(line)
                heard = self._chatting[client] + b": " + line
                assert read_exactly(other, len(heard)) == heard
        else:
            ask(client, self.request(line), self.answer(line))


def start(name: str, *arguments: str) -> subprocess.Popen[str]:
    return start_command([sys.executable, "-m", f"sockcheck.servers.{name.replace('-', '_')}", *arguments])


def start_command(command: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(HARNESS)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@contextlib.contextmanager
def running(name: str, *options: str, host: str = "127.0.0.1", port: int = 0) -> Iterator[Server]:
    """The server, started with `options`, killed in the end."""
    with start(name, host, str(port), *options) as process:
        try:
            yield Server(name, host, process)
        finally:
            process.kill()


def result(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the process. Return its status and what it wrote to standard output and standard error."""
    with process:
        try:
            output, errors = process.communicate(timeout=PROMPTLY)
        finally:
            process.kill()
    return process.returncode, output, errors


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def ask(client: socket.socket, request: bytes, answer: bytes) -> None:
    client.sendall(request)
    assert read_exactly(client, len(answer)) == answer


def read_exactly(client: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = client.recv(count - len(data))
        assert piece, f"the stream ended after {len(data)} of {count} bytes"
        data += piece
    return bytes(data)


def read_to_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
