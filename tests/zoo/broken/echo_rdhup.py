"""echo, which closes as soon as epoll tells of the end of stream: what came just before it is never answered."""

import select
import signal
import socket
import sys
import time

READS = select.EPOLLIN | select.EPOLLRDHUP
WRITES = select.EPOLLOUT | select.EPOLLRDHUP
clients = {}
waiting = {}
epoll = select.epoll()


def drop(fd):
    epoll.unregister(fd)
    clients.pop(fd).close()
    del waiting[fd]


def advance(fd):
    try:
        waiting[fd] = waiting[fd] or clients[fd].recv(16384)
        if not waiting[fd]:
            drop(fd)
            return
        waiting[fd] = waiting[fd][clients[fd].send(waiting[fd]) :]
    except BlockingIOError:
        pass
    except OSError:
        drop(fd)
        return
    epoll.modify(fd, WRITES if waiting[fd] else READS)


signal.alarm(600)
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
listener.setblocking(False)
epoll.register(listener, select.EPOLLIN)
while True:
    for fd, events in epoll.poll():
        if fd == listener.fileno():
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.1)
                continue
            connection.setblocking(False)
            clients[connection.fileno()] = connection
            waiting[connection.fileno()] = b""
            epoll.register(connection, READS)
        elif events & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
            drop(fd)
        else:
            advance(fd)
