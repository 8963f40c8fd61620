/*
 * A textbook epoll echo server. It ends on any error of epoll_wait(), EINTR too, as the textbooks have it: a server
 * that was stopped and continued (SIGSTOP, SIGCONT) gets EINTR without a handler of its own (signal(7)). Nothing that
 * happens on its sockets ends it.
 *
 * A connection is read while nothing waits to be sent on it, and written while something does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int fd;
    size_t start, end; /* what waits to be sent: buffer[start..end) */
    char buffer[16384];
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void add_client(int epoll, int fd)
{
    struct client *client = malloc(sizeof *client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    if (client == NULL)
        die("malloc");
    client->fd = fd;
    client->start = client->end = 0;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static void remove_client(struct client *client)
{
    close(client->fd);
    free(client);
}

static void advance(int epoll, struct client *client)
{
    struct epoll_event event = {.data.ptr = client};
    ssize_t n;

    if (client->start == client->end) {
        n = recv(client->fd, client->buffer, sizeof client->buffer, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            remove_client(client);
            return;
        }
        client->start = 0;
        client->end = n < 0 ? 0 : (size_t)n;
    }
    if (client->start < client->end) {
        n = send(client->fd, client->buffer + client->start, client->end - client->start, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            remove_client(client);
            return;
        }
        client->start += n < 0 ? 0 : (size_t)n;
    }
    event.events = client->start < client->end ? EPOLLOUT : EPOLLIN;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event) < 0)
        die("epoll_ctl");
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[64];
    int listener, epoll, ready, fd, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons(atoi(argv[2]));
    if ((listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0)
        die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    if (listen(listener, 128) < 0)
        die("listen");
    if ((epoll = epoll_create1(0)) < 0)
        die("epoll_create1");
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll_ctl");
    for (;;) {
        ready = epoll_wait(epoll, events, 64, -1);
        if (ready < 0)
            die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr != NULL)
                advance(epoll, events[i].data.ptr);
            else if ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                add_client(epoll, fd);
        }
    }
}
