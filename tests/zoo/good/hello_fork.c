/*
 * hello: a process for each connection. A handler of SIGCHLD waits for those that have ended, and interrupts accept():
 * it is set without SA_RESTART, as signal() did on System V. SIGTERM makes it exit with status 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 65536

static const char answer[] = "Hello Node!\n";

static void reap(int number)
{
    int saved = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void end(int number)
{
    (void)number;
    _exit(0);
}

static int send_answer(int fd)
{
    size_t sent = 0;

    while (sent < sizeof answer - 1) {
        ssize_t n = send(fd, answer + sent, sizeof answer - 1 - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        sent += (size_t)n;
    }
    return 0;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static int is_text(const unsigned char *text, size_t size)
{
    size_t i = 0;

    while (i < size) {
        unsigned char first = text[i++], low = 0x80, high = 0xbf;
        int more;

        if (first < 0x80)
            continue;
        if (first >= 0xc2 && first <= 0xdf) {
            more = 1;
        } else if (first >= 0xe0 && first <= 0xef) {
            more = 2;
            low = first == 0xe0 ? 0xa0 : 0x80;
            high = first == 0xed ? 0x9f : 0xbf;
        } else if (first >= 0xf0 && first <= 0xf4) {
            more = 3;
            low = first == 0xf0 ? 0x90 : 0x80;
            high = first == 0xf4 ? 0x8f : 0xbf;
        } else {
            return 0;
        }
        for (; more > 0; more--, low = 0x80, high = 0xbf)
            if (i == size || text[i] < low || text[i++] > high)
                return 0;
    }
    return 1;
}

static void drain(int fd)
{
    char dropped[4096];

    shutdown(fd, SHUT_WR);
    alarm(2);
    while (read(fd, dropped, sizeof dropped) > 0)
        ;
}

static void serve(int fd)
{
    static char buffer[LIMIT + 1];
    size_t held = 0;
    ssize_t n;

    while (held < sizeof buffer) {
        char *line = buffer, *newline;

        n = read(fd, buffer + held, sizeof buffer - held);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        held += (size_t)n;
        while ((newline = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
            size_t size = (size_t)(newline - line);

            if (!is_text((unsigned char *)line, size) || send_answer(fd) < 0)
                return;
            if (size > 0 && line[size - 1] == '\r')
                size--;
            if (size == 4 && memcmp(line, "STOP", 4) == 0) {
                drain(fd);
                return;
            }
            line = newline + 1;
        }
        held -= (size_t)(line - buffer);
        memmove(buffer, line, held);
    }
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sigaction reaping = {.sa_handler = reap}, ending = {.sa_handler = end};
    int listener, fd, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    sigaction(SIGCHLD, &reaping, NULL);
    sigaction(SIGTERM, &ending, NULL);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            serve(fd);
            _exit(0);
        }
        close(fd);
    }
}
