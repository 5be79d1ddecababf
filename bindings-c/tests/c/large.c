/* A stream responder: messages larger than its memory, cut at every place. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

/* As many as there is memory for their answers, with commit blocks half as many. */
#define MESSAGES 8

static const char header[] = "MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M1|P|2.5\r";
static mllp_responder_t responder;
static struct block waiting;
static mllp_responder_event_t event;

static void open_link(size_t limit, mllp_over_limit_t over_limit, uint32_t commit_blocks)
{
    mllp_responder_config_t config = mllp_responder_config_default();
    config.decoder.max_payload_len = limit;
    config.over_limit = over_limit;
    config.max_answer_len = 128;
    config.commit_blocks = commit_blocks;
    block_make(&waiting, MESSAGES * config.max_answer_len);
    CHECK(mllp_responder_init_stream(&responder, &config, waiting.data, waiting.len, 0) == MLLP_OK);
}

static mllp_ack_t accepted(void)
{
    static const uint8_t id[] = "4711", when[] = "20260101";
    return mllp_ack_always(MLLP_ACK_AA, NULL, id, 4, when, 8);
}

static void expect_sent(const char *end, size_t len)
{
    mllp_slice_t outgoing = mllp_responder_outgoing(&responder);
    CHECK(outgoing.len >= len && memcmp(outgoing.data + outgoing.len - len, end, len) == 0);
    CHECK(mllp_responder_sent(&responder, outgoing.len + 1, 0) ==
          MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_sent(&responder, outgoing.len, 0) == MLLP_OK);
}

#define EXPECT_SENT(bytes) expect_sent(bytes, sizeof(bytes) - 1)

/* What has come of one message. */
struct seen {
    uint64_t bytes, sum;
    int started, headers, ended, lost;
    mllp_ticket_t ticket;
    mllp_refusal_t refusal;
};

static void note(struct seen *seen)
{
    mllp_message_header_t found;
    mllp_slice_t kept;
    switch (event.kind) {
    case MLLP_LINK_START:
        seen->started++;
        seen->bytes = seen->sum = 0;
        break;
    case MLLP_LINK_SPAN:
        CHECK(event.payload.len > 0);
        for (size_t i = 0; i < event.payload.len; i++)
            seen->sum = seen->sum * 31 + event.payload.data[i];
        seen->bytes += event.payload.len;
        break;
    case MLLP_LINK_HEADER:
        seen->headers++;
        kept = mllp_responder_header_bytes(&responder);
        CHECK(mllp_message_header_parse_lenient(kept.data, kept.len, &found) == MLLP_OK);
        CHECK(mllp_message_header_field(&found, MLLP_MSH_MESSAGE_CONTROL_ID).len == 2);
        break;
    case MLLP_LINK_MESSAGE:
        seen->ended++;
        seen->ticket = event.ticket;
        break;
    case MLLP_LINK_TOO_LARGE:
        seen->lost++;
        seen->refusal = event.refusal;
        break;
    default:
        CHECK(event.kind == MLLP_LINK_DISCARD);
    }
}

/* Reads in pieces, the first of which ends at `cut`, the others of `step` bytes; returns how many
 * were consumed. */
static size_t read_in_pieces(const uint8_t *bytes, size_t len, size_t cut, size_t step,
                             struct seen *seen)
{
    struct block piece = {0};
    size_t at = 0;
    while (at < len && mllp_responder_wants_input(&responder)) {
        size_t some = at < cut ? cut - at : step, done = 0, consumed;
        block_copy(&piece, bytes + at, some < len - at ? some : len - at);
        for (;;) {
            mllp_status_t status = mllp_responder_step(&responder, piece.data + done,
                                                       piece.len - done, 0, &consumed, &event);
            CHECK(consumed <= piece.len - done);
            done += consumed;
            if (status != MLLP_OK)
                break;
            note(seen);
        }
        at += done;
        if (done < piece.len)
            break;
    }
    block_free(&piece);
    return at;
}

static size_t frame(uint8_t *out, size_t capacity, size_t body)
{
    static uint8_t payload[1 << 20];
    size_t len;
    memcpy(payload, header, sizeof header - 1);
    for (size_t i = 0; i < body; i++)
        payload[sizeof header - 1 + i] = (uint8_t)('A' + i % 23);
    CHECK(mllp_encode(payload, sizeof header - 1 + body, out, capacity, &len) == MLLP_OK);
    return len;
}

static void every_split(void)
{
    static uint8_t bytes[1 << 20];
    size_t len = frame(bytes, sizeof bytes, 60);
    struct seen whole = {0};
    subject.part = "every split";
    for (size_t cut = 0; cut <= len; cut++) {
        struct seen seen = {0};
        mllp_ack_t ack = accepted();
        mllp_slice_t kept;
        mllp_counters_t counters;
        subject.numbers[0] = cut;
        open_link(SIZE_MAX, MLLP_OVER_LIMIT_CLOSE, 0);
        CHECK(read_in_pieces(bytes, len, cut, cut == 0 ? 1 : len, &seen) == len);
        if (cut == 0)
            whole = seen;
        CHECK(seen.started == 1 && seen.headers == 1 && seen.ended == 1);
        CHECK(seen.bytes == len - MLLP_FRAME_OVERHEAD && seen.sum == whole.sum);
        kept = mllp_responder_header_bytes(&responder);
        CHECK(kept.len == sizeof header - 1 && memcmp(kept.data, header, kept.len) == 0);
        CHECK(mllp_responder_answer(&responder, seen.ticket, &ack, 0) == MLLP_OK);
        CHECK(mllp_responder_answer(&responder, seen.ticket, &ack, 0) ==
              MLLP_ERR_NO_TICKET);
        EXPECT_SENT("MSA|AA|M1\r\x1C\r");
        CHECK(mllp_responder_is_settled(&responder, seen.ticket.number));
        CHECK(mllp_responder_waiting(&responder) == 0);
        CHECK(mllp_responder_pending(&responder) == 0);
        CHECK(mllp_responder_counters(&responder, &counters) == MLLP_OK);
        CHECK(counters.frames == 1);
    }
}

/* A megabyte, through memory of a hundredth of it. */
static void larger_than_memory(void)
{
    static uint8_t bytes[(1 << 20) + 16];
    size_t len = frame(bytes, sizeof bytes, (1 << 20) - sizeof header);
    mllp_ack_t ack = accepted();
    struct seen seen = {0};
    subject.part = "larger than memory";
    open_link(SIZE_MAX, MLLP_OVER_LIMIT_CLOSE, 0);
    CHECK(read_in_pieces(bytes, len, 0, 4096, &seen) == len);
    CHECK(seen.bytes == len - MLLP_FRAME_OVERHEAD && seen.ended == 1);
    CHECK(mllp_responder_answer_later(&responder, seen.ticket, (const uint8_t *)header,
                                             sizeof header - 1, &ack, 0) == MLLP_OK);
    EXPECT_SENT("MSA|AA|M1\r\x1C\r");
}

static void over_the_limit(void)
{
    static uint8_t bytes[512];
    size_t len = frame(bytes, sizeof bytes, 200);
    mllp_ack_t ack = accepted();
    mllp_ticket_t forged;
    struct seen seen = {0};
    subject.part = "over the limit";
    open_link(100, MLLP_OVER_LIMIT_REFUSE, 0);
    CHECK(read_in_pieces(bytes, len, 0, 7, &seen) == len);
    CHECK(seen.lost == 1 && seen.ended == 0);
    memcpy(&forged, &seen.refusal, sizeof forged);
    CHECK(mllp_responder_answer(&responder, forged, &ack, 0) == MLLP_ERR_LOST);
    CHECK(mllp_responder_refuse(&responder, seen.refusal, MLLP_REFUSE_ERROR, &ack, 0) ==
          MLLP_OK);
    CHECK(mllp_responder_leave_unrefused(&responder, seen.refusal, 0) ==
          MLLP_ERR_NO_TICKET);
    EXPECT_SENT("MSA|AE|M1\r\x1C\r");
}

/* While too much is unanswered, nothing more is read. */
static void full(void)
{
    static uint8_t bytes[512];
    size_t len = frame(bytes, sizeof bytes, 0);
    mllp_ticket_t tickets[MESSAGES];
    struct seen seen = {0};
    subject.part = "full";
    open_link(SIZE_MAX, MLLP_OVER_LIMIT_CLOSE, 0);
    for (size_t i = 0; i < MESSAGES; i++) {
        CHECK(read_in_pieces(bytes, len, 0, len, &seen) == len);
        tickets[i] = seen.ticket;
    }
    CHECK(!mllp_responder_wants_input(&responder));
    CHECK(mllp_responder_waiting(&responder) == MESSAGES);
    CHECK(mllp_responder_answer_with(&responder, tickets[1], (const uint8_t *)"2", 1, 0) ==
          MLLP_OK);
    CHECK(mllp_responder_outgoing(&responder).len == 0);
    CHECK(mllp_responder_leave_unanswered(&responder, tickets[0], 0) == MLLP_OK);
    EXPECT_SENT("\x0B" "2\x1C\r");
    CHECK(mllp_responder_wants_input(&responder));
}

static void commit_blocks_and_the_end(void)
{
    static uint8_t bytes[512];
    size_t len = frame(bytes, sizeof bytes, 0);
    struct seen seen = {0};
    size_t consumed;
    subject.part = "commit blocks";
    open_link(SIZE_MAX, MLLP_OVER_LIMIT_CLOSE, 1);
    CHECK(read_in_pieces(bytes, len, 0, len, &seen) == len);
    CHECK(mllp_responder_commit(&responder, seen.ticket, 0) == MLLP_OK);
    EXPECT_SENT("\x0B\x06\x1C\r");
    CHECK(mllp_responder_leave_unanswered(&responder, seen.ticket, 0) == MLLP_OK);
    CHECK(read_in_pieces(bytes, len, 0, len, &seen) == len);
    CHECK(mllp_responder_refuse_commit(&responder, seen.ticket, 0) == MLLP_OK);
    EXPECT_SENT("\x0B\x15\x1C\r");
    CHECK(mllp_responder_next_deadline(&responder) != MLLP_NEVER);
    CHECK(mllp_responder_on_time(&responder, 1) == MLLP_OK);
    CHECK(mllp_responder_peer_closed(&responder, 1) == MLLP_OK);
    CHECK(mllp_responder_close(&responder, 1) == MLLP_OK);
    CHECK(mllp_responder_step(&responder, NULL, 0, 1, &consumed, &event) == MLLP_OK);
    CHECK(event.kind == MLLP_LINK_CLOSING);
    CHECK(event.close_reason == MLLP_CLOSE_END_OF_STREAM);
    CHECK(mllp_responder_is_finished(&responder));
}

/* A responder knows its one way of receiving. */
static void the_other_way(void)
{
    static uint8_t incoming[64];
    mllp_responder_config_t config = mllp_responder_config_default();
    mllp_room_t room = {incoming, 1};
    size_t taken = 4711;
    subject.part = "the other way";
    open_link(SIZE_MAX, MLLP_OVER_LIMIT_CLOSE, 0);
    event.kind = 4711;
    CHECK(mllp_responder_spare(&responder, 1, &room) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_commit_read(&responder, 0, 0) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_receive(&responder, incoming, 1, 0, &taken) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_feed(&responder, incoming, 1, 0, &taken, &event) ==
          MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_next_event(&responder, 0, &event) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_payload(&responder).data == NULL);
    CHECK(mllp_responder_init(&responder, &config, incoming, sizeof incoming, waiting.data,
                              config.max_answer_len, 0) == MLLP_OK);
    CHECK(mllp_responder_step(&responder, incoming, 1, 0, &taken, &event) ==
          MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_header_bytes(&responder).data == NULL);
    CHECK(room.len == 1 && taken == 4711 && event.kind == 4711);
}

void test_large(void)
{
    memset(&subject, 0, sizeof subject);
    subject.name = "stream responder";
    every_split();
    larger_than_memory();
    over_the_limit();
    full();
    commit_blocks_and_the_end();
    the_other_way();
    block_free(&waiting);
}
