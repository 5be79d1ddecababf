/* The receiving end that lends messages from the caller's buffer and answers into another: the same
 * messages and the same answers as through the memory of the link, wherever the stream is cut. */
#include <string.h>

#include "check.h"
#include "mllp.h"
#include "tests.h"

#define MESSAGE(id) "\x0BMSH|^~\\&|||||2026||ADT|" id "|P|2.5\r\x1C\r"

static const char STREAM[] = MESSAGE("M1") "noise" MESSAGE("M2") MESSAGE("M3");
#define STREAM_LEN (sizeof STREAM - 1)

static uint8_t incoming[200], waiting[800], sent[2000], expected[2000];
static mllp_responder_t responder;

static mllp_ack_t accepted(void)
{
    static const uint8_t id[] = "4711", when[] = "20260101";
    return mllp_ack_always(MLLP_ACK_AA, NULL, id, 4, when, 8);
}

static void open_link(void)
{
    mllp_responder_config_t config = mllp_responder_config_default();
    config.max_answer_len = 100;
    CHECK(mllp_responder_init(&responder, &config, incoming, sizeof incoming, waiting,
                              sizeof waiting, 0) == MLLP_OK);
}

/* Sends what the link has, behind `len` bytes that have been sent. */
static size_t flush(uint8_t *out, size_t len)
{
    mllp_slice_t outgoing = mllp_responder_outgoing(&responder);
    if (outgoing.len > 0)
        memcpy(out + len, outgoing.data, outgoing.len);
    CHECK(mllp_responder_sent(&responder, outgoing.len, 0) == MLLP_OK);
    return len + outgoing.len;
}

/* Through the memory of the link. */
static size_t answers_of_receive(void)
{
    mllp_responder_event_t event;
    mllp_ack_t ack = accepted();
    size_t taken = 0, at = 0, len = 0;
    open_link();
    while (at < STREAM_LEN) {
        CHECK(mllp_responder_receive(&responder, (const uint8_t *)STREAM + at, STREAM_LEN - at, 0,
                                     &taken) == MLLP_OK);
        at += taken;
        while (mllp_responder_next_event(&responder, 0, &event) == MLLP_OK)
            if (event.kind == MLLP_LINK_MESSAGE)
                CHECK(mllp_responder_answer(&responder, event.ticket, &ack, 0) == MLLP_OK);
        len = flush(expected, len);
    }
    return len;
}

/* Feeds one piece; every answer gets `room` bytes. Returns how much has been sent in all. */
static size_t feed(const char *piece, size_t piece_len, size_t room, size_t len, int *lent)
{
    mllp_responder_event_t event;
    mllp_ack_t ack = accepted();
    const uint8_t *chunk = (const uint8_t *)piece;
    size_t consumed, answer_len;
    mllp_status_t status;
    do {
        status = mllp_responder_feed(&responder, chunk, piece_len, 0, &consumed, &event);
        CHECK(status >= 0 && consumed <= piece_len);
        if (event.kind == MLLP_LINK_MESSAGE) {
            *lent += event.payload.data >= (const uint8_t *)piece &&
                     event.payload.data < chunk + piece_len;
            CHECK(mllp_responder_answer_now(&responder, event.ticket, event.payload.data,
                                            event.payload.len, &ack, 0, sent + len, room,
                                            &answer_len) == MLLP_OK);
            CHECK(answer_len <= room);
            /* The ticket is used, whether or not the answer has left. */
            CHECK(mllp_responder_leave_unanswered(&responder, event.ticket, 0) ==
                  MLLP_ERR_NO_TICKET);
            len = flush(sent, len + answer_len);
        }
        chunk += consumed;
        piece_len -= consumed;
    } while (status == MLLP_OK);
    CHECK(piece_len == 0);
    return len;
}

void test_lend(void)
{
    size_t expected_len = answers_of_receive();
    subject.name = "lend";
    CHECK(expected_len > 0);
    for (size_t room = 0; room <= 100; room += 50) {
        for (size_t cut = 0; cut <= STREAM_LEN; cut++) {
            int lent = 0;
            size_t len;
            subject.numbers[0] = cut;
            subject.numbers[1] = room;
            open_link();
            len = feed(STREAM, cut, room, 0, &lent);
            len = feed(STREAM + cut, STREAM_LEN - cut, room, len, &lent);
            CHECK(len == expected_len && memcmp(sent, expected, len) == 0);
            /* A message that lies whole in a piece is not copied; the one that is cut is. */
            CHECK(lent >= 2);
        }
    }
}
