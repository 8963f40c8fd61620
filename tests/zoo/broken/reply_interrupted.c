/*
 * reply, a process for each client, and a handler of SIGCHLD that waits for them. It interrupts accept(), and what is no
 * connection is an error here: the server ends with its first client.
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

static void converse(int fd)
{
    static char line[5 + LIMIT + 1] = "OK...", received[4096];
    size_t length = 5;
    ssize_t n;

    if (send_all(fd, GREETING, strlen(GREETING)) < 0)
        return;
    while ((n = recv(fd, received, sizeof received, 0)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (length == 5 + LIMIT)
                return;
            line[length++] = received[i];
            if (received[i] == '\n') {
                if (send_all(fd, line, length) < 0)
                    return;
                length = 5;
            }
        }
    if (n == 0 && length > 5)
        send_all(fd, line, length);
}

static void reap(int number)
{
    int saved = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sigaction reaping = {.sa_handler = reap}; /* without SA_RESTART */
    int listener, fd, on = 1;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    alarm(600);
    sigaction(SIGCHLD, &reaping, NULL);
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        if ((fd = accept(listener, NULL, NULL)) < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                usleep(100000);
                continue;
            }
            perror("accept");
            return 1;
        }
        if (fork() == 0) {
            alarm(600);
            close(listener);
            converse(fd);
            exit(0);
        }
        close(fd);
    }
}
