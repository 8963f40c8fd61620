/*
 * echo with an edge-triggered epoll. A short write is followed by another, but at EAGAIN the rest is forgotten: there is
 * a hole in what a slow reader gets.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int fd)
{
    char buffer[16384];
    ssize_t n, sent, m;

    for (;;) {
        n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        for (sent = 0; sent < n; sent += m) {
            m = send(fd, buffer + sent, n - sent, MSG_NOSIGNAL);
            if (m < 0 && errno == EAGAIN)
                break;
            if (m < 0) {
                close(fd);
                return;
            }
        }
    }
    close(fd);
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event event, events[64];
    int listener, epoll, ready, fd, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    alarm(600);
    address.sin_port = htons(atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    epoll = epoll_create1(0);
    event.events = EPOLLIN;
    event.data.fd = listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd != listener) {
                echo(events[i].data.fd);
                continue;
            }
            if ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) {
                usleep(100000);
                continue;
            }
            event.events = EPOLLIN | EPOLLET;
            event.data.fd = fd;
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
