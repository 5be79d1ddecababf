/* The receiving end: a ticket is good for one answer, and what was lost is never accepted. */
#include <string.h>

#include "check.h"
#include "mllp.h"
#include "tests.h"

static uint8_t incoming[64], waiting[800];
static mllp_responder_t responder;
static mllp_responder_event_t event;

#define MESSAGE(id) "\x0BMSH|^~\\&|||||2026||ADT|" id "|P|2.5\r\x1C\r"

static void open_link(mllp_over_limit_t over_limit, uint32_t commit_blocks)
{
    mllp_responder_config_t config = mllp_responder_config_default();
    config.max_answer_len = 100;
    config.over_limit = over_limit;
    config.commit_blocks = commit_blocks;
    CHECK(mllp_responder_init(&responder, &config, incoming, sizeof incoming, waiting,
                              sizeof waiting, 0) == MLLP_OK);
}

/* Takes as much of it as there is room for; returns what is left. */
static const char *receive(const char *bytes)
{
    size_t taken;
    CHECK(mllp_responder_receive(&responder, (const uint8_t *)bytes, strlen(bytes), 0, &taken) ==
          MLLP_OK);
    return bytes + taken;
}

static void expect(mllp_link_event_kind_t kind)
{
    CHECK(mllp_responder_next_event(&responder, 0, &event) == MLLP_OK);
    CHECK(event.kind == kind);
}

/* What leaves, all of it. */
static void expect_sent(const char *bytes, size_t len)
{
    mllp_slice_t outgoing = mllp_responder_outgoing(&responder);
    CHECK(outgoing.len == len && memcmp(outgoing.data, bytes, len) == 0);
    CHECK(mllp_responder_sent(&responder, outgoing.len, 0) == MLLP_OK);
}

/* What leaves ends with this. */
static void expect_answer(const char *end)
{
    mllp_slice_t outgoing = mllp_responder_outgoing(&responder);
    size_t len = strlen(end);
    CHECK(outgoing.len > len && memcmp(outgoing.data + outgoing.len - len, end, len) == 0);
    CHECK(mllp_responder_sent(&responder, outgoing.len, 0) == MLLP_OK);
}

static mllp_ack_t accepted(void)
{
    static const uint8_t id[] = "4711", when[] = "20260101";
    return mllp_ack_always(MLLP_ACK_AA, NULL, id, 4, when, 8);
}

/* A peer that is gone, and another in the same memory: its messages are not answered by late answers to
 * the first one's. */
static void of_another_link(void)
{
    mllp_ack_t ack = accepted();
    mllp_responder_config_t config = mllp_responder_config_default();
    const uint8_t *payload = (const uint8_t *)"MSH|^~\\&|||||2026||ADT|OLD|P|2.5\r";
    mllp_ticket_t ticket;
    subject.part = "of another link";
    open_link(MLLP_OVER_LIMIT_CLOSE, 0);
    CHECK(*receive(MESSAGE("OLD")) == 0);
    expect(MLLP_LINK_MESSAGE);
    ticket = event.ticket;
    config.max_answer_len = 100;
    CHECK(mllp_responder_init(&responder, &config, incoming, sizeof incoming, waiting,
                              sizeof waiting, 1) == MLLP_OK);
    CHECK(*receive(MESSAGE("NEW")) == 0);
    expect(MLLP_LINK_MESSAGE);
    CHECK(event.ticket.number == ticket.number);
    CHECK(mllp_responder_answer_later(&responder, ticket, payload, 33, &ack, 1) ==
          MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_leave_unanswered(&responder, ticket, 1) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_answer(&responder, event.ticket, &ack, 1) == MLLP_OK);
    expect_answer("MSA|AA|NEW\r\x1C\r");
}

/* What a failed read returns is no length. */
static void more_than_the_room(void)
{
    mllp_room_t room;
    subject.part = "more than the room";
    open_link(MLLP_OVER_LIMIT_CLOSE, 0);
    CHECK(mllp_responder_spare(&responder, sizeof incoming, &room) == MLLP_OK);
    CHECK(mllp_responder_commit_read(&responder, (size_t)-1, 0) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_commit_read(&responder, room.len + 1, 0) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_next_event(&responder, 0, &event) == MLLP_PARTIAL);
    memcpy(room.data, "\x0BX\x1C\r", 4);
    CHECK(mllp_responder_commit_read(&responder, 4, 0) == MLLP_OK);
    expect(MLLP_LINK_MESSAGE);
}

static void used_twice(void)
{
    static const mllp_ticket_t none;
    static const mllp_refusal_t nothing;
    static char text[200];
    const uint8_t *bytes = (const uint8_t *)"A\x1C";
    mllp_ack_t ack = accepted();
    mllp_ticket_t ticket, made_up;
    subject.part = "used twice";
    open_link(MLLP_OVER_LIMIT_CLOSE, 0);
    CHECK(*receive(MESSAGE("M1")) == 0);
    expect(MLLP_LINK_MESSAGE);
    made_up = ticket = event.ticket;
    made_up.number += MLLP_RESPONDER_WINDOW;
    CHECK(!mllp_responder_is_settled(&responder, ticket.number));
    CHECK(mllp_responder_answer(&responder, none, &ack, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_answer(&responder, made_up, &ack, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_refuse(&responder, nothing, MLLP_REFUSE_ERROR, &ack, 0) ==
          MLLP_ERR_NO_TICKET);
    /* An answer that cannot be taken leaves it good. */
    memset(text, 'A', sizeof text);
    ack.text.data = (const uint8_t *)text;
    ack.text.len = sizeof text;
    CHECK(mllp_responder_answer(&responder, ticket, &ack, 0) == MLLP_ERR_BUFFER_TOO_SMALL);
    CHECK(mllp_responder_answer_with(&responder, ticket, bytes, 2, 0) == MLLP_ERR_RESERVED_BYTE);
    CHECK(mllp_responder_outgoing(&responder).len == 0);
    ack = accepted();
    CHECK(mllp_responder_answer(&responder, ticket, &ack, 0) == MLLP_OK);
    CHECK(mllp_responder_answer(&responder, ticket, &ack, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_answer_with(&responder, ticket, bytes, 1, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_leave_unanswered(&responder, ticket, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_commit(&responder, ticket, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_refuse_commit(&responder, ticket, 0) == MLLP_ERR_NO_TICKET);
    expect_answer("MSA|AA|M1\r\x1C\r");
    CHECK(mllp_responder_outgoing(&responder).len == 0); /* once */
    CHECK(mllp_responder_is_settled(&responder, ticket.number));
}

static void later(void)
{
    mllp_ack_t ack = accepted();
    mllp_ticket_t first;
    subject.part = "later";
    open_link(MLLP_OVER_LIMIT_CLOSE, 0);
    CHECK(*receive(MESSAGE("M1")) == 0);
    expect(MLLP_LINK_MESSAGE);
    first = event.ticket;
    CHECK(*receive(MESSAGE("M2")) == 0);
    expect(MLLP_LINK_MESSAGE);
    CHECK(mllp_responder_answer(&responder, first, &ack, 0) == MLLP_ERR_NOT_AT_HAND);
    CHECK(mllp_responder_answer_with(&responder, event.ticket, (const uint8_t *)"two", 3, 0) ==
          MLLP_OK);
    CHECK(mllp_responder_outgoing(&responder).len == 0); /* the first is the first to leave */
    CHECK(mllp_responder_waiting(&responder) > 0);
    CHECK(mllp_responder_leave_unanswered(&responder, first, 0) == MLLP_OK);
    expect_sent("\x0Btwo\x1C\r", 6);
    CHECK(mllp_responder_close(&responder, 0) == MLLP_OK);
    expect(MLLP_LINK_CLOSING);
    CHECK(event.close_reason == MLLP_CLOSE_CLOSED);
    CHECK(strcmp(mllp_close_reason_name(event.close_reason), "closed") == 0);
    CHECK(!mllp_responder_wants_input(&responder) && mllp_responder_is_finished(&responder));
}

/* The ticket that somebody makes of a refusal is none. */
static void lost(void)
{
    mllp_ack_t ack = accepted();
    mllp_refusal_t refusal;
    mllp_ticket_t forged;
    const char *rest = MESSAGE("M1||||||||||||||||||||||||||||||||||||||||||||||||");
    subject.part = "lost";
    open_link(MLLP_OVER_LIMIT_REFUSE, 0);
    do {
        rest = receive(rest);
        memset(&event, 0, sizeof event);
    } while (mllp_responder_next_event(&responder, 0, &event) == MLLP_PARTIAL && *rest);
    CHECK(event.kind == MLLP_LINK_TOO_LARGE && event.payload.len > 0);
    CHECK(event.fault == MLLP_FAULT_TOO_LARGE);
    refusal = event.refusal;
    memcpy(&forged, &refusal, sizeof forged);
    CHECK(sizeof forged == sizeof refusal);
    CHECK(mllp_responder_answer(&responder, forged, &ack, 0) == MLLP_ERR_LOST);
    CHECK(mllp_responder_answer_with(&responder, forged, (const uint8_t *)"A", 1, 0) ==
          MLLP_ERR_LOST);
    CHECK(mllp_responder_refuse(&responder, refusal, 4711, &ack, 0) == MLLP_ERR_INVALID_ARGUMENT);
    CHECK(mllp_responder_refuse(&responder, refusal, MLLP_REFUSE_REJECT, &ack, 0) == MLLP_OK);
    CHECK(mllp_responder_refuse(&responder, refusal, MLLP_REFUSE_REJECT, &ack, 0) ==
          MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_leave_unrefused(&responder, refusal, 0) == MLLP_ERR_NO_TICKET);
    CHECK(mllp_responder_outgoing(&responder).len == 0); /* not before its last byte has come */
    CHECK(*receive(rest) == 0);
    expect(MLLP_LINK_DISCARD);
    expect_answer("MSA|AR|M1\r\x1C\r");
}

static void commit_blocks(void)
{
    mllp_ack_t ack = accepted();
    subject.part = "commit blocks";
    open_link(MLLP_OVER_LIMIT_CLOSE, 1);
    CHECK(*receive(MESSAGE("M1")) == 0);
    expect(MLLP_LINK_MESSAGE);
    CHECK(mllp_responder_commit(&responder, event.ticket, 0) == MLLP_OK);
    expect_sent("\x0B\x06\x1C\r", 4);
    CHECK(mllp_responder_answer(&responder, event.ticket, &ack, 0) == MLLP_OK);
    expect_answer("MSA|AA|M1\r\x1C\r");
    CHECK(*receive(MESSAGE("M2")) == 0);
    expect(MLLP_LINK_MESSAGE);
    CHECK(mllp_responder_refuse_commit(&responder, event.ticket, 0) == MLLP_OK);
    expect_sent("\x0B\x15\x1C\r", 4);
    CHECK(*receive("\x0B\x06\x1C\r") == 0);
    expect(MLLP_LINK_COMMIT);
    CHECK(event.positive == 1);
}

static void times(void)
{
    mllp_times_t defaults = mllp_times_default();
    uint64_t deadline;
    subject.part = "times";
    open_link(MLLP_OVER_LIMIT_CLOSE, 0);
    deadline = mllp_responder_next_deadline(&responder);
    CHECK(deadline == defaults.idle);
    CHECK(mllp_responder_on_time(&responder, deadline - 1) == MLLP_OK);
    CHECK(mllp_responder_next_event(&responder, deadline - 1, &event) == MLLP_PARTIAL);
    CHECK(*receive("\x0BMSH") == 0);
    CHECK(mllp_responder_next_event(&responder, 0, &event) == MLLP_PARTIAL);
    CHECK(mllp_responder_pending(&responder) == 4);
    CHECK(mllp_responder_on_time(&responder, defaults.byte) == MLLP_OK);
    expect(MLLP_LINK_FAULT);
    CHECK(event.fault == MLLP_FAULT_TRUNCATED);
    expect(MLLP_LINK_DISCARD);
    CHECK(event.len == 4 && event.discard_reason == MLLP_DISCARD_DROPPED);
    expect(MLLP_LINK_CLOSING);
    CHECK(event.close_reason == MLLP_CLOSE_BYTE_TIMEOUT);
    CHECK(mllp_responder_next_deadline(&responder) == MLLP_NEVER);
}

static void too_little_memory(void)
{
    mllp_responder_config_t config = mllp_responder_config_default();
    mllp_initiator_config_t initiator_config = mllp_initiator_config_default();
    mllp_initiator_t initiator;
    subject.part = "memory";
    CHECK(mllp_responder_init(&responder, &config, incoming, 0, waiting, sizeof waiting, 0) ==
          MLLP_ERR_BUFFER_TOO_SMALL);
    CHECK(mllp_responder_on_time(&responder, 0) == MLLP_ERR_NOT_INITIALISED);
    CHECK(mllp_responder_init(&responder, &config, incoming, sizeof incoming, NULL, 0, 0) ==
          MLLP_ERR_BUFFER_TOO_SMALL);
    CHECK(mllp_responder_init_stream(&responder, &config, waiting, config.max_answer_len - 1, 0) ==
          MLLP_ERR_BUFFER_TOO_SMALL);
    CHECK(mllp_responder_on_time(&responder, 0) == MLLP_ERR_NOT_INITIALISED);
    CHECK(mllp_initiator_init(&initiator, &initiator_config, NULL, 0) ==
          MLLP_ERR_BUFFER_TOO_SMALL);
    CHECK(mllp_initiator_resume(&initiator) == MLLP_ERR_NOT_INITIALISED);
}

void test_tickets(void)
{
    memset(&subject, 0, sizeof subject);
    subject.name = "tickets";
    of_another_link();
    more_than_the_room();
    used_twice();
    later();
    lost();
    commit_blocks();
    times();
    too_little_memory();
}
