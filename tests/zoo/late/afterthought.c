/* As afterthought.py: answers each line with "ok\n", does some work, and then writes one byte more where it is told to.
 *
 *     afterthought HOST PORT
 *
 * It knows the works `cpu`, `yield`, `thread`, `ring`, `child`, `pipe`, `chain`, `small`, `cork` and `timer`.
 * A thread for each connection. Every process ends by itself after 100 s. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME = 100, RING = 4 };

struct turn {
    pthread_mutex_t lock;
    pthread_cond_t given;
    int has;
    long left;
    long computing;
    int connection;
};

static struct turn ring[RING];

static void must(int ok, const char *what) {
    if (!ok) {
        perror(what);
        _exit(1);
    }
}

static void compute(long microseconds) {
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - began.tv_sec) * 1000000 + (now.tv_nsec - began.tv_nsec) / 1000 < microseconds);
}

static void write_byte(int connection, int flags) {
    if (connection >= 0)
        send(connection, "!", 1, flags | MSG_NOSIGNAL);
}

static void give(struct turn *to, long left, long computing, int connection) {
    pthread_mutex_lock(&to->lock);
    to->has = 1;
    to->left = left;
    to->computing = computing;
    to->connection = connection;
    pthread_cond_signal(&to->given);
    pthread_mutex_unlock(&to->lock);
}

static void *take_turns(void *argument) {
    struct turn *own = argument, *next = &ring[(own - ring + 1) % RING];
    for (;;) {
        pthread_mutex_lock(&own->lock);
        while (!own->has)
            pthread_cond_wait(&own->given, &own->lock);
        own->has = 0;
        struct turn now = *own;
        pthread_mutex_unlock(&own->lock);
        if (now.left) {
            give(next, now.left - 1, now.computing, now.connection);
        } else {
            compute(now.computing);
            write_byte(now.connection, 0);
        }
    }
    return NULL;
}

/* 0 in the child. */
static pid_t forked(void) {
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0)
        alarm(LIFETIME);
    return child;
}

static void by_pipe(long number, int connection) {
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    if (forked() == 0) {
        compute(number);
        must(write(ends[1], "x", 1) == 1, "write");
        _exit(0);
    }
    close(ends[1]);
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    poll(&wait, 1, -1);
    close(ends[0]);
    write_byte(connection, 0);
}

static void by_chain(long number, int connection) {
    int ends[2];
    char byte;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    if (forked() == 0) {
        close(ends[0]);
        while (read(ends[1], &byte, 1) == 1)
            if (write(ends[1], "x", 1) != 1)
                break;
        _exit(0);
    }
    close(ends[1]);
    for (long i = 0; i < number; i++)
        must(write(ends[0], "x", 1) == 1 && read(ends[0], &byte, 1) == 1, "chain");
    close(ends[0]);
    write_byte(connection, 0);
}

static void work(const char *what, long number, int connection) {
    if (!strcmp(what, "cpu")) {
        compute(number);
        write_byte(connection, 0);
    } else if (!strcmp(what, "yield")) {
        for (long i = 0; i < number; i++)
            sched_yield();
        write_byte(connection, 0);
    } else if (!strcmp(what, "thread")) {
        give(&ring[0], 0, number, connection);
    } else if (!strcmp(what, "ring")) {
        give(&ring[0], number, 0, connection);
    } else if (!strcmp(what, "child")) {
        if (forked() == 0) {
            compute(number);
            write_byte(connection, 0);
            _exit(0);
        }
    } else if (!strcmp(what, "pipe")) {
        by_pipe(number, connection);
    } else if (!strcmp(what, "chain")) {
        by_chain(number, connection);
    } else if (!strcmp(what, "timer")) {
        usleep(number);
        write_byte(connection, 0);
    } else {
        write_byte(connection, strcmp(what, "cork") ? 0 : MSG_MORE);
    }
}

static void *serve(void *argument) {
    int connection = (int)(long)argument;
    char line[100], what[20], more[10];
    size_t have = 0;
    while (have < sizeof line - 1) {
        ssize_t got = recv(connection, line + have, sizeof line - 1 - have, 0);
        if (got <= 0)
            break;
        have += got;
        line[have] = 0;
        if (!strchr(line, '\n'))
            continue;
        long number;
        if (sscanf(line, "%19s %ld %9s", what, &number, more) != 3)
            break;
        have = 0;
        int no_delay = strcmp(what, "small") != 0;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
        send(connection, "ok\n", 3, MSG_NOSIGNAL);
        work(what, number, strcmp(more, "yes") ? -1 : connection);
    }
    shutdown(connection, SHUT_RDWR);
    close(connection);
    return NULL;
}

int main(int argc, char **argv) {
    must(argc == 3, "usage: afterthought HOST PORT");
    alarm(LIFETIME);
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < RING; i++) {
        pthread_t thread;
        pthread_mutex_init(&ring[i].lock, NULL);
        pthread_cond_init(&ring[i].given, NULL);
        must(pthread_create(&thread, NULL, take_turns, &ring[i]) == 0, "pthread_create");
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    must(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(listener, 128) == 0, "listen");
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        must(connection >= 0, "accept");
        pthread_t thread;
        must(pthread_create(&thread, NULL, serve, (void *)(long)connection) == 0, "pthread_create");
        pthread_detach(thread);
    }
}
