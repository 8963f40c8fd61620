/*
 * echo with select(), whose sets have room for descriptors up to 1023: the client that gets a greater one ends it all.
 * A client is read while nothing waits to be sent to it, and written while something does.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static fd_set readers, writers;
static char waiting[FD_SETSIZE][16384];
static size_t held[FD_SETSIZE];

static void advance(int fd)
{
    ssize_t n;

    if (held[fd] == 0) {
        n = recv(fd, waiting[fd], sizeof waiting[fd], 0);
        if (n > 0)
            held[fd] = (size_t)n;
    } else {
        n = send(fd, waiting[fd], held[fd], MSG_NOSIGNAL);
        if (n > 0) {
            held[fd] -= (size_t)n;
            memmove(waiting[fd], waiting[fd] + n, held[fd]);
        }
    }
    FD_CLR(fd, &readers);
    FD_CLR(fd, &writers);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        held[fd] = 0;
        close(fd);
    } else {
        FD_SET(fd, held[fd] > 0 ? &writers : &readers);
    }
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int listener, fd, fdmax, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    alarm(600);
    address.sin_port = htons(atoi(argv[2]));
    listener = fdmax = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    fcntl(listener, F_SETFL, O_NONBLOCK);
    FD_SET(listener, &readers);
    for (;;) {
        fd_set readable = readers, writable = writers;

        if (select(fdmax + 1, &readable, &writable, NULL, NULL) < 0)
            continue;
        for (fd = 0; fd <= fdmax; fd++)
            if (fd != listener && (FD_ISSET(fd, &readable) || FD_ISSET(fd, &writable)))
                advance(fd);
        if (!FD_ISSET(listener, &readable))
            continue;
        if ((fd = accept(listener, NULL, NULL)) < 0) {
            usleep(100000);
            continue;
        }
        assert(fd < FD_SETSIZE);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        FD_SET(fd, &readers);
        if (fd > fdmax)
            fdmax = fd;
    }
}
