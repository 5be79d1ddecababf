/* The same answer to every frame, one thread and epoll: the limit of any server on this machine.
 * It counts end blocks with their carriage return, and reads nothing else. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_BLOCK 0x1C
#define EVENTS 512
#define ANSWERS 4096 /* most answers in one send; more go in several */

static const char ANSWER[] =
    "\x0bMSH|^~\\&|LABSYS|CENTRAL LAB|ADTSYS|MAIN HOSPITAL|20261121093000||ACK^A01^ACK|"
    "0000000000000001|P|2.5.1\rMSA|AA|MSG20261121000123\r\x1c\r";
#define ANSWER_LEN (sizeof ANSWER - 1)

struct connection {
    int fd;
    char last; /* byte before the next read */
};

static char received[256 * 1024], answers[ANSWER_LEN * ANSWERS];

static int listen_on_free_port(void) {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 4096)) {
        perror("listen");
        exit(1);
    }
    getsockname(listener, (struct sockaddr *)&address, &len);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void accept_all(int poll, int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) {
            close(fd);
            return;
        }
        connection->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    }
}

static size_t frame_ends(const char *data, size_t len, char before) {
    const char *at = data, *end = data + len;
    size_t count = before == END_BLOCK && *data == '\r';
    while ((at = memchr(at, END_BLOCK, end - at)) && ++at < end)
        count += *at == '\r';
    return count;
}

/* Blocks until the peer has taken all: a queue would be code that a limit does not need. */
static void send_answers(int fd, size_t count) {
    while (count > 0) {
        size_t now = count < ANSWERS ? count : ANSWERS, left = now * ANSWER_LEN;
        count -= now;
        for (const char *from = answers; left > 0;) {
            ssize_t sent = send(fd, from, left, MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN)
                continue;
            if (sent < 0)
                return;
            from += sent;
            left -= sent;
        }
    }
}

static void converse(struct connection *connection) {
    ssize_t len = recv(connection->fd, received, sizeof received, 0);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        close(connection->fd);
        free(connection);
        return;
    }
    size_t count = frame_ends(received, len, connection->last);
    connection->last = received[len - 1];
    send_answers(connection->fd, count);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (size_t at = 0; at < ANSWERS; at++)
        memcpy(answers + at * ANSWER_LEN, ANSWER, ANSWER_LEN);

    int listener = listen_on_free_port(), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int at = 0; at < ready; at++) {
            if (events[at].data.ptr)
                converse(events[at].data.ptr);
            else
                accept_all(poll, listener);
        }
    }
}
