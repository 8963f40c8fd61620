/*
 * reply, a thread for each client, and one static buffer for the lines of all of them: what one has sent of a line is
 * overwritten by what another sends.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "Welcome to the server. Type something and hit enter\n"
#define LIMIT 65536

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int send_reply(int fd, const char *line, size_t length)
{
    char reply[5 + LIMIT] = "OK...";

    memcpy(reply + 5, line, length);
    return send_all(fd, reply, 5 + length);
}

static int converse(int fd)
{
    static char line[LIMIT];
    char received[512];
    size_t length = 0;
    ssize_t n;

    if (send_all(fd, GREETING, strlen(GREETING)) < 0)
        return -1;
    while ((n = recv(fd, received, sizeof received, 0)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (length == LIMIT)
                return -1;
            line[length++] = received[i];
            if (received[i] == '\n') {
                if (send_reply(fd, line, length) < 0)
                    return -1;
                length = 0;
            }
        }
    return n == 0 && length > 0 ? send_reply(fd, line, length) : 0;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;

    converse(fd);
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
    alarm(600);
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        if ((fd = accept(listener, NULL, NULL)) < 0)
            usleep(100000);
        else if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
            close(fd);
        else
            pthread_detach(thread);
    }
}
