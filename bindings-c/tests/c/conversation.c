/* A responder and an initiator, with memory for a wire that carries so many bytes at a time. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

enum { MESSAGES = 40, WINDOW = 5, KEPT = 3, LONGEST = 160 };

/* One direction of the wire. */
struct wire {
    uint8_t bytes[8192];
    size_t len;
};

/* A message whose answer is put off. */
struct kept {
    mllp_ticket_t ticket;
    uint8_t payload[LONGEST];
    size_t len;
};

struct link {
    mllp_responder_t responder;
    mllp_initiator_t initiator;
    struct block incoming, answers, replies;
    struct wire there, back;
    struct kept kept[KEPT];
    size_t kept_count;
    uint8_t payloads[MESSAGES][LONGEST];
    size_t lens[MESSAGES];
    mllp_handle_t handles[MESSAGES];
    mllp_action_t verdicts[MESSAGES];
    size_t submitted, delivered, judged, most_together;
    uint64_t now;
};

static void put(struct wire *wire, const uint8_t *bytes, size_t len)
{
    CHECK(len <= sizeof wire->bytes - wire->len);
    memcpy(wire->bytes + wire->len, bytes, len);
    wire->len += len;
}

static void drop(struct wire *wire, size_t len)
{
    memmove(wire->bytes, wire->bytes + len, wire->len - len);
    wire->len -= len;
}

static int is_refused(size_t number)
{
    return number % 7 == 3;
}

static mllp_ack_t acknowledgment(size_t number)
{
    static const uint8_t id[] = "4711", when[] = "20260101";
    mllp_ack_code_t code = is_refused(number) ? MLLP_ACK_AE : MLLP_ACK_AA;
    return mllp_ack_always(code, NULL, id, 4, when, 8);
}

static size_t number_of(mllp_slice_t payload)
{
    mllp_message_header_t header;
    mllp_slice_t id;
    size_t number = 0;
    CHECK(mllp_message_header_parse_lenient(payload.data, payload.len, &header) == MLLP_OK);
    id = mllp_message_header_field(&header, MLLP_MSH_MESSAGE_CONTROL_ID);
    for (size_t i = 1; i < id.len; i++)
        number = number * 10 + (size_t)(id.data[i] - '0');
    return number;
}

/* Answers what was put off, the last first: the answers leave in order all the same. */
static void answer_kept(struct link *link)
{
    while (link->kept_count > 0) {
        struct kept *kept = &link->kept[--link->kept_count];
        mllp_slice_t payload = {kept->payload, kept->len};
        mllp_ack_t ack = acknowledgment(number_of(payload));
        CHECK(mllp_responder_answer_later(&link->responder, kept->ticket, kept->payload, kept->len,
                                          &ack, link->now) == MLLP_OK);
    }
}

static void deliver(struct link *link, const mllp_responder_event_t *event)
{
    size_t number = number_of(event->payload);
    mllp_ack_t ack = acknowledgment(number);
    CHECK(number == link->delivered);
    CHECK(event->payload.len == link->lens[number] &&
          memcmp(event->payload.data, link->payloads[number], event->payload.len) == 0);
    CHECK(mllp_responder_payload(&link->responder).data == event->payload.data);
    link->delivered++;
    if (number % 4 == 1 && link->kept_count < KEPT) {
        struct kept *kept = &link->kept[link->kept_count++];
        kept->ticket = event->ticket;
        kept->len = event->payload.len;
        memcpy(kept->payload, event->payload.data, kept->len);
        return;
    }
    CHECK(mllp_responder_answer(&link->responder, event->ticket, &ack, link->now) == MLLP_OK);
    if (link->kept_count == 2)
        answer_kept(link);
}

static void run_responder(struct link *link, size_t carried)
{
    mllp_responder_t *responder = &link->responder;
    mllp_responder_event_t event;
    mllp_slice_t outgoing;
    size_t taken = 0, len = link->there.len < carried ? link->there.len : carried;
    if (len > 0 && mllp_responder_wants_input(responder)) {
        if (carried % 2 == 0) {
            CHECK(mllp_responder_receive(responder, link->there.bytes, len, link->now, &taken) ==
                  MLLP_OK);
        } else {
            mllp_room_t room;
            CHECK(mllp_responder_spare(responder, len, &room) == MLLP_OK);
            taken = room.len < len ? room.len : len;
            memcpy(room.data, link->there.bytes, taken);
            CHECK(mllp_responder_commit_read(responder, taken, link->now) == MLLP_OK);
        }
        CHECK(taken > 0 && taken <= len);
        drop(&link->there, taken);
    }
    while (mllp_responder_next_event(responder, link->now, &event) == MLLP_OK) {
        CHECK(event.kind == MLLP_LINK_MESSAGE && event.frame_kind == MLLP_FRAME_CONTENT);
        deliver(link, &event);
    }
    if (link->there.len == 0) /* who waits for one of those sends nothing more */
        answer_kept(link);
    outgoing = mllp_responder_outgoing(responder);
    len = outgoing.len < carried ? outgoing.len : carried;
    if (len > 0) {
        put(&link->back, outgoing.data, len);
        CHECK(mllp_responder_sent(responder, outgoing.len + 1, link->now) ==
              MLLP_ERR_INVALID_ARGUMENT);
        CHECK(mllp_responder_sent(responder, len, link->now) == MLLP_OK);
    }
}

static void submit(struct link *link)
{
    while (link->submitted < MESSAGES) {
        size_t number = link->submitted;
        mllp_status_t status = mllp_initiator_submit(
            &link->initiator, link->payloads[number], link->lens[number], link->now,
            &link->handles[number]);
        CHECK(status == MLLP_OK || status == MLLP_ERR_FULL);
        if (status != MLLP_OK)
            return;
        link->submitted++;
    }
}

static size_t find(const struct link *link, mllp_handle_t handle)
{
    size_t number = 0;
    while (number < link->submitted && link->handles[number] != handle)
        number++;
    CHECK(number < link->submitted);
    return number % MESSAGES;
}

static void judge(struct link *link, const mllp_initiator_event_t *event)
{
    size_t number = find(link, event->handle);
    char wanted[32];
    CHECK(event->kind == MLLP_LINK_VERDICT);
    CHECK(link->verdicts[number] == 0); /* each message has one verdict */
    link->verdicts[number] = event->verdict.action;
    CHECK(event->verdict.action == (is_refused(number) ? MLLP_ACTION_FAIL : MLLP_ACTION_ACCEPT));
    CHECK(event->verdict.reply == (is_refused(number) ? MLLP_REPLY_AE : MLLP_REPLY_AA));
    snprintf(wanted, sizeof wanted, "MSA|%s|M%d\r", is_refused(number) ? "AE" : "AA", (int)number);
    CHECK(event->reply.len > strlen(wanted));
    CHECK(memcmp(event->reply.data + event->reply.len - strlen(wanted), wanted,
                 strlen(wanted)) == 0);
    link->judged++;
}

static void write_message(struct link *link, mllp_handle_t handle)
{
    uint8_t frame[LONGEST + MLLP_FRAME_OVERHEAD];
    size_t number = find(link, handle), len;
    CHECK(mllp_encode(link->payloads[number], link->lens[number], frame, sizeof frame, &len) ==
          MLLP_OK);
    put(&link->there, frame, len);
}

/* One message after the other, or as many as may leave with one write. */
static void write_messages(struct link *link, int together)
{
    mllp_initiator_t *initiator = &link->initiator;
    mllp_handle_t handles[WINDOW];
    while (mllp_initiator_next_to_send(initiator, link->now, &handles[0]) == MLLP_OK) {
        size_t count = 0;
        do
            write_message(link, handles[count++]);
        while (together && count < WINDOW &&
               mllp_initiator_next_to_send_along(initiator, link->now, &handles[count]) == MLLP_OK);
        for (size_t i = 0; i < count; i++)
            CHECK(mllp_initiator_sent(initiator, handles[i], link->now) == MLLP_OK);
        link->most_together = count > link->most_together ? count : link->most_together;
    }
}

static void run_initiator(struct link *link, size_t carried)
{
    mllp_initiator_t *initiator = &link->initiator;
    mllp_initiator_event_t event;
    size_t taken = 0, len = link->back.len < carried ? link->back.len : carried;
    submit(link);
    if (carried % 2 == 1) {
        CHECK(mllp_initiator_receive(initiator, link->back.bytes, len, link->now, &taken) ==
              MLLP_OK);
    } else {
        mllp_room_t room;
        CHECK(mllp_initiator_spare(initiator, len, &room) == MLLP_OK);
        taken = room.len < len ? room.len : len;
        memcpy(room.data, link->back.bytes, taken);
        CHECK(mllp_initiator_commit_read(initiator, taken, link->now) == MLLP_OK);
    }
    drop(&link->back, taken);
    while (mllp_initiator_next_event(initiator, link->now, &event) == MLLP_OK)
        judge(link, &event);
    if (mllp_initiator_wants_connection(initiator, link->now))
        CHECK(mllp_initiator_connected(initiator) == MLLP_OK);
    write_messages(link, carried % 3 == 0);
}

static void converse(size_t carried)
{
    static struct link link;
    mllp_responder_config_t responder_config = mllp_responder_config_default();
    mllp_initiator_config_t initiator_config = mllp_initiator_config_default();
    mllp_counters_t counters;
    memset(&link, 0, sizeof link);
    responder_config.max_answer_len = 200;
    initiator_config.window = WINDOW;
    block_make(&link.incoming, LONGEST + MLLP_FRAME_OVERHEAD);
    block_make(&link.answers, (size_t)4 * responder_config.max_answer_len);
    block_make(&link.replies, 200);
    CHECK(mllp_responder_init(&link.responder, &responder_config, link.incoming.data,
                              link.incoming.len, link.answers.data, link.answers.len,
                              0) == MLLP_OK);
    CHECK(mllp_initiator_init(&link.initiator, &initiator_config, link.replies.data,
                              link.replies.len) == MLLP_OK);
    for (size_t number = 0; number < MESSAGES; number++)
        link.lens[number] = (size_t)snprintf(
            (char *)link.payloads[number], LONGEST,
            "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M%d|P|2.5\rPID|1||%.*s\r", (int)number,
            (int)(number % 60), "123456789012345678901234567890123456789012345678901234567890");
    for (link.now = 1; link.judged < MESSAGES && link.now < 30000; link.now++) {
        run_initiator(&link, carried);
        run_responder(&link, carried);
    }
    CHECK(link.judged == MESSAGES && link.delivered == MESSAGES);
    CHECK(link.most_together == (carried % 3 == 0 ? WINDOW : 1));
    CHECK(mllp_initiator_open_messages(&link.initiator) == 0);
    CHECK(!mllp_initiator_is_suspended(&link.initiator));
    CHECK(mllp_responder_waiting(&link.responder) == 0);
    CHECK(mllp_responder_pending(&link.responder) == 0);
    CHECK(mllp_responder_is_settled(&link.responder, MESSAGES - 1));
    CHECK(!mllp_responder_is_settled(&link.responder, MESSAGES));
    CHECK(mllp_responder_counters(&link.responder, &counters) == MLLP_OK);
    CHECK(counters.frames == MESSAGES && counters.bytes_dropped == 0);
    CHECK(!mllp_responder_is_finished(&link.responder));
    CHECK(mllp_responder_peer_closed(&link.responder, link.now) == MLLP_OK);
    mllp_responder_event_t event;
    CHECK(mllp_responder_next_event(&link.responder, link.now, &event) == MLLP_OK);
    CHECK(event.kind == MLLP_LINK_CLOSING && event.close_reason == MLLP_CLOSE_END_OF_STREAM);
    CHECK(mllp_responder_is_finished(&link.responder));
    block_free(&link.incoming);
    block_free(&link.answers);
    block_free(&link.replies);
}

void test_conversation(void)
{
    static const size_t longer[] = {256, 1000, 4096};
    memset(&subject, 0, sizeof subject);
    subject.name = "conversation";
    for (size_t carried = 1; carried <= 64; carried++) {
        subject.numbers[0] = carried;
        converse(carried);
    }
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        subject.numbers[0] = longer[i];
        converse(longer[i]);
    }
    printf("conversation: %d messages, each over 67 wires\n", MESSAGES);
}
