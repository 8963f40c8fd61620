/* reply: every byte of every reply is sent by a send() of its own, at once (TCP_NODELAY). A thread for each connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT 65536

static int send_bytes(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, 1, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data++;
        size--;
    }
    return 0;
}

static int send_text(int fd, const char *text)
{
    return send_bytes(fd, text, strlen(text));
}

static void converse(int fd, char *buffer)
{
    size_t held = 0;

    if (send_text(fd, "Welcome to the server. Type something and hit enter\n") < 0)
        return;
    for (;;) {
        ssize_t n = recv(fd, buffer + held, LIMIT - held, 0);
        char *line = buffer, *newline;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        if (n == 0) {
            if (held > 0 && send_text(fd, "OK...") == 0)
                send_bytes(fd, buffer, held);
            return;
        }
        held += (size_t)n;
        while ((newline = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
            if (send_text(fd, "OK...") < 0 || send_bytes(fd, line, (size_t)(newline + 1 - line)) < 0)
                return;
            line = newline + 1;
        }
        held -= (size_t)(line - buffer);
        memmove(buffer, line, held);
        if (held == LIMIT)
            return;
    }
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char *buffer = malloc(LIMIT);

    if (buffer != NULL)
        converse(fd, buffer);
    free(buffer);
    close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int listener, fd, on = 1;
    pthread_t thread;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
            close(fd);
        else
            pthread_detach(thread);
    }
}
