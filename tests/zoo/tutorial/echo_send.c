/* The echo loop of many C tutorials: what write() returns is not looked at, and SIGPIPE is left to kill. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 32

int main(int argc, char *argv[])
{
    char buffer[BUFFER_SIZE];
    struct sockaddr_in address;
    int server_fd, client_fd, on = 1;
    ssize_t n;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 1;
    }
    server_fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    address.sin_port = htons(atoi(argv[2]));
    if (bind(server_fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("bind failed");
        return 1;
    }
    listen(server_fd, 5);
    for (;;) {
        client_fd = accept(server_fd, NULL, NULL);
        while ((n = read(client_fd, buffer, BUFFER_SIZE)) > 0)
            write(client_fd, buffer, n);
        close(client_fd);
    }
}
