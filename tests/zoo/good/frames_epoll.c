/*
 * frames: one thread and an edge-triggered epoll. What is readable is read until EAGAIN, unless answers wait: then it is
 * read on when they have been sent, since no new edge would come for it. Pauses and other signals (EINTR) are passed over.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT (1 << 20)
#define HEAD 4

/* A frame is read into `frame`; when it is whole it is turned round in place, and written from there. */
struct client {
    int fd, writing;
    size_t held, whole, written;
    unsigned char *frame;
};

static void drop(struct client *client)
{
    close(client->fd);
    free(client->frame);
    free(client);
}

static void turn(unsigned char *body, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        unsigned char held = body[i];
        body[i] = body[size - 1 - i];
        body[size - 1 - i] = held;
    }
}

/* Returns 1 when it must wait for the socket, 0 to go on, -1 when the connection is over. */
static int write_on(struct client *client)
{
    ssize_t n = send(client->fd, client->frame + client->written, client->whole - client->written, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN ? 1 : errno == EINTR ? 0 : -1;
    client->written += (size_t)n;
    if (client->written == client->whole) {
        client->writing = 0;
        client->held = client->written = 0;
        client->whole = HEAD;
    }
    return 0;
}

static int read_on(struct client *client)
{
    uint32_t size;
    ssize_t n = 0;

    if (client->held < client->whole) {
        n = recv(client->fd, client->frame + client->held, client->whole - client->held, 0);
        if (n == 0)
            return -1;
        if (n < 0)
            return errno == EAGAIN ? 1 : errno == EINTR ? 0 : -1;
        client->held += (size_t)n;
    }
    if (client->held == HEAD && client->whole == HEAD) {
        memcpy(&size, client->frame, HEAD);
        size = ntohl(size);
        if (size > LIMIT)
            return -1;
        client->whole = HEAD + size;
    }
    if (client->held == client->whole) {
        turn(client->frame + HEAD, client->whole - HEAD);
        client->writing = 1;
    }
    return 0;
}

static void advance(struct client *client)
{
    int state;

    do
        state = client->writing ? write_on(client) : read_on(client);
    while (state == 0);
    if (state < 0)
        drop(client);
}

static void add(int epoll, int fd)
{
    struct client *client = calloc(1, sizeof *client);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = client};

    if (client != NULL)
        client->frame = malloc(HEAD + LIMIT);
    if (client == NULL || client->frame == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(fd);
        if (client != NULL)
            free(client->frame);
        free(client);
        return;
    }
    client->fd = fd;
    client->whole = HEAD;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}, events[64];
    int listener, epoll, fd, ready, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll = epoll_create1(0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0
        || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr != NULL)
                advance(events[i].data.ptr);
            else
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                    add(epoll, fd);
        }
    }
}
