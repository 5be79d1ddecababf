/* Sends each file as one message, waits for its acknowledgment, and says what became of it.
 *
 *     send HOST PORT FILE...
 *
 * Exit status: 0 every message was accepted, 1 one was not, 2 wrong usage. The same program:
 * ../rust/src/bin/send.rs, ../python/send.py. */
#define _GNU_SOURCE
#include <mllp.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_MESSAGE (16 * 1024 * 1024)

static uint8_t payload[MAX_MESSAGE], frame[MAX_MESSAGE + MLLP_FRAME_OVERHEAD], replies[64 * 1024];
static size_t payload_len, frame_len, written; /* of a frame that is being written; or 0 and 0 */
static mllp_handle_t writing;                  /* whose frame it is */
static mllp_initiator_t initiator;
static int connection = -1;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Reads a file, with the segment terminator of HL7, a carriage return. 0: it cannot be read. */
static int read_message(const char *path) {
    FILE *file = fopen(path, "rb");
    int byte, before = 0;
    if (!file)
        return 0;
    for (payload_len = 0; (byte = getc(file)) != EOF && payload_len < MAX_MESSAGE; before = byte) {
        if (byte == '\n' && before == '\r')
            continue;
        payload[payload_len++] = byte == '\n' ? '\r' : (uint8_t)byte;
    }
    byte = byte == EOF && !ferror(file);
    fclose(file);
    return byte;
}

static int dial(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *at;
    int fd = -1, one = 1;
    if (getaddrinfo(host, port, &hints, &found))
        return -1;
    for (at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

static void hang_up(void) {
    if (connection >= 0)
        close(connection);
    connection = -1;
    frame_len = written = 0;
}

/* Perhaps nothing of the message being written has left yet. */
static void say_what_has_not_left(void) {
    if (frame_len && !written)
        mllp_initiator_not_sent(&initiator, writing);
}

static void lose(void) {
    say_what_has_not_left();
    hang_up();
    mllp_initiator_disconnected(&initiator, now_ms());
}

/* What the socket is ready for: waits for it, until the next deadline. */
static short wait_for_socket(void) {
    struct pollfd socket = {.fd = connection, .events = POLLIN | POLLRDHUP};
    uint64_t now = now_ms(), deadline = mllp_initiator_next_deadline(&initiator);
    uint64_t wait = deadline > now ? deadline - now : 0;
    if (written < frame_len)
        socket.events |= POLLOUT;
    return poll(&socket, 1, wait < 1000 ? (int)wait : 1000) > 0 ? socket.revents : 0;
}

static void read_replies(void) {
    mllp_room_t room;
    ssize_t len;
    mllp_initiator_spare(&initiator, sizeof replies, &room);
    len = recv(connection, room.data, room.len, 0);
    if (len > 0)
        mllp_initiator_commit_read(&initiator, (size_t)len, now_ms());
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        lose();
}

/* What became of the message, or NULL while that is unknown. Takes every event: only then may more
 * be read. */
static const char *take_events(mllp_handle_t handle, uint64_t now, int *accepted) {
    mllp_initiator_event_t event;
    const char *end = NULL;
    while (mllp_initiator_next_event(&initiator, now, &event) == MLLP_OK) {
        if (event.kind == MLLP_LINK_RECONNECT)
            hang_up();
        if (event.kind == MLLP_LINK_VERDICT && event.handle == handle) {
            int says = event.fate == MLLP_FATE_ANSWERED ||
                       (event.fate == MLLP_FATE_UNCERTAIN &&
                        event.verdict.reply != MLLP_REPLY_NO_REPLY);
            end = says ? mllp_reply_kind_name(event.verdict.reply) : mllp_fate_name(event.fate);
            *accepted = event.verdict.action == MLLP_ACTION_ACCEPT;
        }
        /* The receiver has the message in safe storage: there is nothing more to wait for. */
        if (event.kind == MLLP_LINK_STORED && event.handle == handle) {
            mllp_initiator_withdraw(&initiator, handle);
            end = mllp_fate_name(MLLP_FATE_STORED);
            *accepted = 1;
        }
    }
    return end;
}

static void write_frame(void) {
    ssize_t len = send(connection, frame + written, frame_len - written, MSG_NOSIGNAL);
    if (len < 0) {
        if (errno != EAGAIN && errno != EINTR)
            lose();
        return;
    }
    written += (size_t)len;
    if (written < frame_len)
        return;
    mllp_initiator_sent(&initiator, writing, now_ms());
    frame_len = written = 0;
}

/* What became of the message. */
static const char *deliver(const char *host, const char *port, int *accepted) {
    const char *end;
    mllp_handle_t handle;
    mllp_status_t status =
        mllp_initiator_submit(&initiator, payload, payload_len, now_ms(), &handle);
    if (status != MLLP_OK)
        return mllp_status_name(status);
    for (;;) {
        uint64_t now;
        short ready;
        if (mllp_initiator_is_suspended(&initiator)) { /* by what became of an earlier one */
            mllp_initiator_withdraw(&initiator, handle);
            return "suspended";
        }
        ready = wait_for_socket();
        if (ready & ~POLLOUT)
            read_replies();
        now = now_ms();
        say_what_has_not_left();
        mllp_initiator_on_time(&initiator, now);
        end = take_events(handle, now, accepted);
        if (end)
            return end;
        if (mllp_initiator_wants_connection(&initiator, now)) {
            connection = dial(host, port);
            if (connection < 0) {
                mllp_initiator_withdraw(&initiator, handle);
                return "not_connected";
            }
            mllp_initiator_connected(&initiator);
        }
        /* A peer that closes after an answer takes no further message: its end is read first. */
        if (!(ready & POLLRDHUP) &&
            mllp_initiator_next_to_send(&initiator, now, &writing) == MLLP_OK)
            mllp_encode(payload, payload_len, frame, sizeof frame, &frame_len);
        if (written < frame_len)
            write_frame();
    }
}

int main(int argc, char **argv) {
    mllp_initiator_config_t config = mllp_initiator_config_default();
    int accepted = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: send HOST PORT FILE...\n");
        return 2;
    }
    config.max_attempts = 1;
    mllp_initiator_init(&initiator, &config, replies, sizeof replies);
    for (int at = 3; at < argc; at++) {
        const char *end = "not_readable";
        int taken = 0;
        if (read_message(argv[at]))
            end = deliver(argv[1], argv[2], &taken);
        printf("%s: %s\n", argv[at], end);
        fflush(stdout);
        accepted += taken;
    }
    hang_up();
    return accepted == argc - 3 ? 0 : 1;
}
