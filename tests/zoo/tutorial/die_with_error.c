/* The textbook's echo server: every error, one client's too, ends the program. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RCVBUFSIZE 32
#define MAXPENDING 5

static void die(const char *message)
{
    perror(message);
    exit(1);
}

static void handle_client(int client)
{
    char buffer[RCVBUFSIZE];
    ssize_t size = recv(client, buffer, RCVBUFSIZE, 0);

    if (size < 0)
        die("recv() failed");
    while (size > 0) {
        if (send(client, buffer, size, MSG_NOSIGNAL) != size)
            die("send() failed");
        size = recv(client, buffer, RCVBUFSIZE, 0);
        if (size < 0)
            die("recv() failed");
    }
    close(client);
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address;
    int server, client, on = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        exit(1);
    }
    if ((server = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) < 0)
        die("socket() failed");
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = inet_addr(argv[1]);
    address.sin_port = htons(atoi(argv[2]));
    if (bind(server, (struct sockaddr *)&address, sizeof address) < 0)
        die("bind() failed");
    if (listen(server, MAXPENDING) < 0)
        die("listen() failed");
    for (;;) {
        if ((client = accept(server, NULL, NULL)) < 0)
            die("accept() failed");
        handle_client(client);
    }
}
