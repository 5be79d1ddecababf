/* A server that acknowledges every message it has taken: epoll, one thread, thousands of connections,
 * a fixed block of memory for each.
 *
 *     ack_server [PORT]
 *
 * Prints where it listens, and at SIGTERM or SIGINT, when it has answered what it has read, how
 * many messages there were. The same program: ../rust/src/bin/ack_server.rs,
 * ../python/ack_server.py. */
#define _GNU_SOURCE
#include <mllp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 8192
#define EVENTS 512
#define TICK 100    /* how often deadlines are looked at, in milliseconds */
#define LINGER 2000 /* how long a closed connection may take to read its last answers */

/* All that a connection ever needs. A block that is not used takes no memory: its pages come when
 * they are first touched. */
struct connection {
    mllp_responder_t responder;
    uint64_t gone; /* when it is given up, once everything is sent and our side is closed */
    int fd;        /* -1: none */
    uint32_t interest;
    struct connection *next_free;
    uint8_t answers[16 * 1024];
    uint8_t incoming[64 * 1024]; /* the longest message, and three bytes */
};

/* What is new in each acknowledgment: its time, and its name. */
struct stamps {
    mllp_timestamp_t time;
    time_t second; /* of which the time is */
    uint64_t next;
    uint8_t id[16];
};

static struct connection *connections; /* MAX_CONNECTIONS of them */
static size_t used;                    /* blocks that were ever used */
static struct connection *free_blocks; /* those of them that are free */
static size_t open_connections;
static int poller, listener, signals;
static int listening, stopping; /* their addresses mark the two descriptors that are no connections */
static struct stamps stamps;
static uint64_t taken;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void watch(int fd, void *of, uint32_t interest, int operation) {
    struct epoll_event event = {.events = interest, .data.ptr = of};
    if (epoll_ctl(poller, operation, fd, &event)) {
        perror("epoll_ctl");
        exit(1);
    }
}

/* Once in each turn of the loop. */
static void set_time(void) {
    time_t second = time(NULL);
    if (second != stamps.second)
        stamps.time = mllp_timestamp_utc(second);
    stamps.second = second;
}

static mllp_ack_t stamped(mllp_ack_code_t code) {
    uint64_t number = stamps.next++;
    for (size_t at = sizeof stamps.id; at-- > 0; number >>= 4)
        stamps.id[at] = (uint8_t)"0123456789abcdef"[number & 15];
    return mllp_ack_always(code, NULL, stamps.id, sizeof stamps.id, stamps.time.text,
                           stamps.time.len);
}

/* Whether anything has happened; -1 gives the connection up. */
static int answer(struct connection *connection, uint64_t now) {
    mllp_responder_t *responder = &connection->responder;
    mllp_responder_event_t event;
    int happened = 0;
    while (mllp_responder_next_event(responder, now, &event) == MLLP_OK) {
        mllp_status_t status = MLLP_OK;
        mllp_ack_t ack;
        happened = 1;
        switch (event.kind) {
        case MLLP_LINK_MESSAGE:
            /* Here event.payload is stored, before it is answered: AA says that it is safe. */
            ack = stamped(MLLP_ACK_AA);
            status = mllp_responder_answer(responder, event.ticket, &ack, now);
            if (status < 0)
                mllp_responder_leave_unanswered(responder, event.ticket, now);
            else
                taken++;
            break;
        case MLLP_LINK_TOO_LARGE:
            ack = stamped(MLLP_ACK_AR);
            status = mllp_responder_refuse(responder, event.refusal, MLLP_REFUSE_REJECT, &ack, now);
            if (status < 0)
                mllp_responder_leave_unrefused(responder, event.refusal, now);
            break;
        case MLLP_LINK_PROTOCOL:
            /* A ClientHello, for instance: between two of its bytes there is no message. */
            if (mllp_protocol_is_foreign(event.protocol))
                return -1;
            break;
        default: /* what the peer did wrong, for a log */
            break;
        }
        if (status < 0) { /* an open connection on which no answer comes tells the sender nothing */
            fprintf(stderr, "not answered: %s\n", mllp_status_name(status));
            mllp_responder_close(responder, now);
        }
    }
    return happened;
}

/* 0: the connection is lost. */
static int receive(struct connection *connection, uint64_t now) {
    mllp_responder_t *responder = &connection->responder;
    mllp_room_t room;
    ssize_t len;
    if (connection->gone) {
        /* Closing with unread bytes would make the kernel reset the connection, answers and all. */
        static uint8_t unread[64 * 1024];
        len = recv(connection->fd, unread, sizeof unread, 0);
        return len > 0 || (len < 0 && errno == EAGAIN);
    }
    mllp_responder_spare(responder, sizeof connection->incoming, &room);
    if (room.len == 0)
        return 1;
    len = recv(connection->fd, room.data, room.len, 0);
    if (len > 0)
        mllp_responder_commit_read(responder, (size_t)len, now);
    else if (len == 0)
        mllp_responder_peer_closed(responder, now);
    else
        return errno == EAGAIN;
    return 1;
}

/* 0: the connection is lost. */
static int send_answers(struct connection *connection, uint64_t now) {
    for (;;) {
        mllp_slice_t outgoing = mllp_responder_outgoing(&connection->responder);
        ssize_t len;
        if (outgoing.len == 0)
            return 1;
        len = send(connection->fd, outgoing.data, outgoing.len, MSG_NOSIGNAL);
        if (len < 0)
            return errno == EAGAIN;
        mllp_responder_sent(&connection->responder, (size_t)len, now);
    }
}

static int converse(struct connection *connection, uint32_t ready, uint64_t now) {
    mllp_responder_t *responder = &connection->responder;
    /* If it is this program that is late, what the peer sent in time is still to be read. */
    int due = mllp_responder_next_deadline(responder) <= now;
    int happened;
    if ((due || ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(connection, now))
        return 0;
    mllp_responder_on_time(responder, now);
    do { /* what is sent makes room for what has come and waits */
        if (!send_answers(connection, now))
            return 0;
        happened = answer(connection, now);
    } while (happened > 0);
    if (happened < 0)
        return 0;
    if (mllp_responder_is_finished(responder) && !connection->gone) {
        shutdown(connection->fd, SHUT_WR);
        connection->gone = now + LINGER;
    }
    return !connection->gone || connection->gone > now;
}

/* One turn of a connection: read, answer, write, look at the time. */
static void turn(struct connection *connection, uint32_t ready, uint64_t now) {
    uint32_t interest = 0;
    if (connection->fd < 0)
        return;
    if (!converse(connection, ready, now)) {
        close(connection->fd);
        connection->fd = -1;
        connection->next_free = free_blocks;
        free_blocks = connection;
        open_connections--;
        return;
    }
    if (mllp_responder_outgoing(&connection->responder).len > 0)
        interest |= EPOLLOUT;
    if (connection->gone || mllp_responder_wants_input(&connection->responder))
        interest |= EPOLLIN;
    if (interest != connection->interest)
        watch(connection->fd, connection, interest, EPOLL_CTL_MOD);
    connection->interest = interest;
}

static struct connection *take_block(void) {
    struct connection *block = free_blocks;
    if (block)
        free_blocks = block->next_free;
    else if (used < MAX_CONNECTIONS)
        block = &connections[used++];
    return block;
}

static void accept_all(const mllp_responder_config_t *config, uint64_t now) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = take_block();
        if (!connection) {
            close(fd); /* a peer that is turned away tries again */
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        mllp_responder_init(&connection->responder, config, connection->incoming,
                            sizeof connection->incoming, connection->answers,
                            sizeof connection->answers, now);
        connection->fd = fd;
        connection->gone = 0;
        connection->interest = EPOLLIN;
        open_connections++;
        watch(fd, connection, EPOLLIN, EPOLL_CTL_ADD);
    }
    /* Out of descriptors, for instance: those that wait would wake epoll for ever. */
    if (errno != EAGAIN)
        watch(listener, &listening, 0, EPOLL_CTL_MOD);
}

/* Accepts nothing further, reads once more from each connection, answers what it has read, and
 * ends. What comes later is not taken: its sender gets no answer and keeps it. */
static void stop(const mllp_responder_config_t *config, uint64_t now) {
    accept_all(config, now); /* closing the listener would reset those that wait */
    close(listener);
    listener = -1;
    for (size_t at = 0; at < used; at++) {
        turn(&connections[at], EPOLLIN, now);
        if (connections[at].fd >= 0)
            mllp_responder_close(&connections[at].responder, now);
        turn(&connections[at], 0, now);
    }
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &len)) {
        perror("listen");
        exit(1);
    }
    printf("listening 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* As many connections as the system allows. */
static void raise_limits(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int catch_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int main(int argc, char **argv) {
    mllp_responder_config_t config = mllp_responder_config_default();
    struct epoll_event events[EVENTS];
    uint64_t now = now_ms(), tick = now + TICK;

    config.over_limit = MLLP_OVER_LIMIT_REFUSE;
    connections = mmap(NULL, MAX_CONNECTIONS * sizeof *connections, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (connections == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    raise_limits();
    stamps.next = (uint64_t)time(NULL) << 32;
    signals = catch_signals();
    listener = listen_on((uint16_t)(argc > 1 ? atoi(argv[1]) : 2575));
    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, &listening, EPOLLIN, EPOLL_CTL_ADD);
    watch(signals, &stopping, EPOLLIN, EPOLL_CTL_ADD);

    while (listener >= 0 || open_connections > 0) {
        int ready = epoll_wait(poller, events, EVENTS, tick > now ? (int)(tick - now) : 0);
        if (ready < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        now = now_ms();
        set_time();
        for (int at = 0; at < ready; at++) {
            void *of = events[at].data.ptr;
            if (of == &stopping) {
                watch(signals, NULL, 0, EPOLL_CTL_DEL);
                stop(&config, now);
            } else if (of != &listening) {
                turn(of, events[at].events, now);
            } else if (listener >= 0) {
                accept_all(&config, now);
            }
        }
        if (now >= tick) {
            tick = now + TICK;
            if (listener >= 0) /* where it rested, it tries again */
                watch(listener, &listening, EPOLLIN, EPOLL_CTL_MOD);
            for (size_t at = 0; at < used; at++)
                turn(&connections[at], 0, now);
        }
    }
    printf("%llu messages\n", (unsigned long long)taken);
    return 0;
}
