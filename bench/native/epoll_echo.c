// The limit of one thread on this machine: an epoll loop that gives back what it receives, one receive and one send an event.
// Usage: epoll_echo   prints "ready tcp://127.0.0.1:PORT", ends when its standard input does.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 512, BUFFER_BYTES = 256 * 1024 };

static char buffer[BUFFER_BYTES];

// What could not be sent at once; the socket is not read until it has gone.
struct rest { char *bytes; size_t length; };

static struct rest rests[65536];

static void finish(int epoll, int fd) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    free(rests[fd].bytes);
    rests[fd] = (struct rest){0};
    close(fd);
}

static int send_all(int epoll, int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            char *copy = malloc(length);
            memcpy(copy, bytes, length);
            free(rests[fd].bytes);
            rests[fd] = (struct rest){copy, length};
            struct epoll_event out = {.events = EPOLLOUT, .data.fd = fd};
            epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &out);
            return 0;
        }
        if (sent < 0) return -1;
        bytes += sent;
        length -= (size_t)sent;
    }
    return 0;
}

static void on_event(int epoll, int fd, unsigned events) {
    if (events & EPOLLOUT) {
        struct rest rest = rests[fd];
        rests[fd] = (struct rest){0};
        int failed = send_all(epoll, fd, rest.bytes, rest.length);
        free(rest.bytes);
        if (failed) { finish(epoll, fd); return; }
        if (rests[fd].bytes == NULL) {
            struct epoll_event in = {.events = EPOLLIN, .data.fd = fd};
            epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &in);
        }
        return;
    }
    ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || send_all(epoll, fd, buffer, (size_t)count)) finish(epoll, fd);
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("listen"); return 1; }
    getsockname(listener, (struct sockaddr *)&address, &length);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event accepts = {.events = EPOLLIN, .data.fd = listener}, input = {.events = EPOLLIN, .data.fd = 0};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepts);
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    printf("ready tcp://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) return 0;
            if (fd != listener) { on_event(epoll, fd, events[i].events); continue; }
            int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (client < 0 || client >= 65536) { if (client >= 0) close(client); continue; }
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            struct epoll_event in = {.events = EPOLLIN, .data.fd = client};
            epoll_ctl(epoll, EPOLL_CTL_ADD, client, &in);
        }
    }
}
