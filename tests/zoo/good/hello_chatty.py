"""hello: it writes much to stdout and stderr, whatever happens. A thread for each connection."""

import socket
import sys
import threading

ANSWER = b"Hello Node!\n"
LIMIT = 65536


def chat(text: str) -> None:
    print(f"{threading.current_thread().name}: {text}; " + "and that is not all that there is to say of it; " * 40)
    print(f"{threading.current_thread().name}: {text}\x1b[0m\a\xff\0" * 20, file=sys.stderr, flush=True)


def serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        try:
            while (line := lines.readline(LIMIT + 1)) and len(line) <= LIMIT:
                text = line.decode().removesuffix("\n").removesuffix("\r")
                chat(repr(text))
                connection.sendall(ANSWER)
                if text == "STOP":
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                    return
        except (OSError, UnicodeDecodeError) as error:
            chat(str(error))


with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as listener:
    while True:
        connection, address = listener.accept()
        chat(f"accepted {address}")
        threading.Thread(target=serve, args=[connection], daemon=True).start()
