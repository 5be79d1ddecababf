#include "gateway.h"

#include "answer.h"
#include "clock.h"
#include "report.h"

#ifndef POLICY
#define POLICY MLLP_POLICY_ALWAYS
#endif

/* The longest message in bytes: a longer one is refused. No memory depends on it. */
#ifndef MAX_MESSAGE
#define MAX_MESSAGE (64u * 1024 * 1024)
#endif

/* How long a sender may pause inside a message, in milliseconds. */
#define PAUSE 2000

static const mllp_responder_config_t config = {
    /* A sender that dies in mid-message begins with a start block when it is back. This profile
     * drops the half message then; the default one would take both for one. */
    .decoder = {.profile = MLLP_PROFILE_RESYNC,
                .framing = {MLLP_START_BLOCK, MLLP_END_BLOCK, MLLP_CARRIAGE_RETURN, 1},
                .max_payload_len = MAX_MESSAGE},
    .policy = POLICY,
    .over_limit = MLLP_OVER_LIMIT_REFUSE,
    /* The line is always there: silence between messages means nothing, and 5 MB take minutes.
     * Only inside a message does silence tell that its sender is gone. */
    .times = {.byte = PAUSE, .trailer = 250},
    .max_answer_len = MAX_ANSWER,
};

static void listen(struct gateway *gateway, uint64_t now) {
    /* It cannot fail: the settings are right, and there is memory for an answer. */
    mllp_stream_responder_init(&gateway->responder, &config, gateway->answers,
                               sizeof gateway->answers, now);
}

void gateway_start(struct gateway *gateway, uint64_t now) {
    uart_start(gateway->received, sizeof gateway->received);
    listen(gateway, now);
    report_text("ready\n");
}

static void report_message(const struct gateway *gateway, const char *answer) {
    report_text("message: ");
    report_number(gateway->len);
    report_text(" bytes, answer: ");
    report_text(answer);
    report_text("\n");
}

static void report_event(const char *what, const char *why) {
    report_text(what);
    report_text(": ");
    report_text(why);
    report_text("\n");
}

/* Writes an answer with what is new in each: its time, and its name, which is when the board
 * started and how many answers it has given since. */
static void write_ack(struct gateway *gateway, mllp_ack_code_t code, uint64_t now) {
    uint32_t words[2] = {clock_started(), gateway->answered++};
    uint8_t *id = gateway->control_id;
    for (unsigned at = 0; at < sizeof gateway->control_id; at++)
        id[at] = (uint8_t)"0123456789ABCDEF"[words[at / 8] >> (28 - 4 * (at % 8)) & 15];
    gateway->time = mllp_timestamp_utc(clock_started() + (int64_t)(now / 1000));
    gateway->ack = mllp_ack_always(code, NULL, id, sizeof gateway->control_id, gateway->time.text,
                                   gateway->time.len);
}

/* The whole message has passed, and what a real gateway does with it is done. */
static void answer(struct gateway *gateway, mllp_ticket_t ticket, uint64_t now) {
    mllp_stream_responder_t *responder = &gateway->responder;
    struct answer answer = answer_choose(POLICY, responder, &gateway->segments);
    const char *outcome = "none";
    mllp_status_t status = MLLP_NOT_FOUND;
    if (answer.code != MLLP_ACK_NONE) {
        write_ack(gateway, answer.code, now);
        gateway->ack.errors = answer.error;
        gateway->ack.error_count = answer.error ? 1 : 0;
        status = mllp_stream_responder_answer(responder, ticket, &gateway->ack, now);
        outcome = status == MLLP_OK ? mllp_ack_code_name(answer.code) : mllp_status_name(status);
    }
    if (status != MLLP_OK)
        mllp_stream_responder_leave_unanswered(responder, ticket, now);
    report_message(gateway, outcome);
}

static void refuse(struct gateway *gateway, mllp_refusal_t refusal, uint64_t now) {
    mllp_stream_responder_t *responder = &gateway->responder;
    write_ack(gateway, MLLP_ACK_AR, now);
    if (mllp_stream_responder_refuse(responder, refusal, MLLP_REFUSE_REJECT, &gateway->ack, now))
        mllp_stream_responder_leave_unrefused(responder, refusal, now);
}

static void begin_segments(struct gateway *gateway) {
    gateway->header_came = true;
    segments_begin(&gateway->segments, mllp_stream_responder_header_bytes(&gateway->responder));
}

/* Does what an event says. */
static void handle(struct gateway *gateway, const mllp_responder_event_t *event, uint64_t now) {
    switch (event->kind) {
    case MLLP_LINK_START:
        gateway->header_came = false;
        gateway->len = 0;
        break;
    case MLLP_LINK_HEADER:
        begin_segments(gateway);
        break;
    case MLLP_LINK_SPAN: /* a real gateway passes these bytes on */
        gateway->len += (uint32_t)event->payload.len;
        if (gateway->header_came)
            segments_pass(&gateway->segments, event->payload);
        break;
    case MLLP_LINK_MESSAGE:
        if (!gateway->header_came) /* and there is nothing behind it */
            begin_segments(gateway);
        segments_end(&gateway->segments);
        answer(gateway, event->ticket, now);
        break;
    case MLLP_LINK_TOO_LARGE:
        refuse(gateway, event->refusal, now);
        report_event("lost", mllp_fault_name(event->fault));
        break;
    case MLLP_LINK_FAULT:
        report_event("lost", mllp_fault_name(event->fault));
        break;
    case MLLP_LINK_CLOSING:
        report_event("begins anew", mllp_close_reason_name(event->close_reason));
        break;
    default: /* bytes that are in no message, and small deviations */
        break;
    }
}

/* Hands bytes to the protocol, does what it says, and returns how many it took. */
static size_t take(struct gateway *gateway, struct bytes bytes, uint64_t now) {
    size_t taken = 0;
    mllp_stream_responder_t *responder = &gateway->responder;
    mllp_stream_step_t *step = &gateway->step;
    while (mllp_stream_responder_step(responder, bytes.data + taken, bytes.len - taken, now, step) ==
           MLLP_OK) {
        taken += step->consumed;
        handle(gateway, &step->event, now);
    }
    return taken + step->consumed;
}

bool gateway_serve(struct gateway *gateway, uint64_t now) {
    mllp_stream_responder_t *responder = &gateway->responder;
    struct bytes received = uart_received();
    uart_taken(take(gateway, received, now));

    mllp_slice_t outgoing = mllp_stream_responder_outgoing(responder);
    size_t sent = uart_send((struct bytes){outgoing.data, outgoing.len});
    if (sent > 0)
        mllp_stream_responder_sent(responder, sent, now);

    /* Time is judged when everything has been looked at that came in time. */
    if (received.len == 0) {
        mllp_stream_responder_on_time(responder, now);
        /* Bytes are missing: the message they belong to must not be accepted. */
        if (uart_is_broken())
            mllp_stream_responder_peer_closed(responder, now);
    }
    if (mllp_stream_responder_is_finished(responder)) {
        uart_mend();
        listen(gateway, now);
    }
    return received.len == 0 && outgoing.len == sent;
}
