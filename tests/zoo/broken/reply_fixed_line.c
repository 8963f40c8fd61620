/*
 * reply, with room for lines of 1023 bytes and trust in its clients. The length is not looked at before the copy is made;
 * where memory would be overwritten, abort() ends the program, as glibc's checks would sooner or later.
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

static void append(char line[1024], size_t *length, char byte)
{
    if (*length == 1024)
        abort();
    line[(*length)++] = byte;
}

static int converse(int fd)
{
    char received[512], line[1024] = "OK...";
    size_t length = 5;
    ssize_t n;

    if (send_all(fd, GREETING, strlen(GREETING)) < 0)
        return -1;
    while ((n = recv(fd, received, sizeof received, 0)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            append(line, &length, received[i]);
            if (received[i] == '\n') {
                if (send_all(fd, line, length) < 0)
                    return -1;
                length = 5;
            }
        }
    return n == 0 && length > 5 ? send_all(fd, line, length) : 0;
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
