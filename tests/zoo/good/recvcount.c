/* For every recv() of n bytes, send n as four bytes, big-endian. One client at a time. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
    static char buffer[1 << 20];
    struct sockaddr_in address = {.sin_family = AF_INET};
    int listener, client, on = 1;
    ssize_t n;

    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons(atoi(argv[2]));
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("cannot listen");
        return 1;
    }
    while ((client = accept(listener, NULL, NULL)) >= 0) {
        while ((n = recv(client, buffer, sizeof buffer, 0)) > 0) {
            uint32_t count = htonl((uint32_t)n);
            if (send(client, &count, sizeof count, MSG_NOSIGNAL) != sizeof count)
                break;
        }
        close(client);
    }
    perror("accept");
    return 1;
}
