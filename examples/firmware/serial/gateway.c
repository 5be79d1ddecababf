#include "gateway.h"

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
                /* Nothing is stored: what is too long may pass, and is rejected at its end. */
                .max_payload_len = SIZE_MAX},
    .policy = POLICY,
    /* The line is always there: silence between messages means nothing, and 5 MB take minutes.
     * Only inside a message does silence tell that its sender is gone. */
    .times = {.byte = PAUSE, .trailer = 250},
    .max_answer_len = MAX_ANSWER,
};

static void listen(struct gateway *gateway) {
    /* It cannot fail: the settings are right, and there is memory for an answer. */
    mllp_responder_init_stream(&gateway->responder, &config, gateway->answers,
                               sizeof gateway->answers, gateway->now);
}

void gateway_start(struct gateway *gateway) {
    uart_start(gateway->received, sizeof gateway->received);
    gateway->now = clock_now();
    listen(gateway);
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

/* The whole message has passed, and what a real gateway does with it is done. */
static void answer(struct gateway *gateway) {
    mllp_responder_t *responder = &gateway->responder;
    struct answer *answer = &gateway->answer;
    mllp_ticket_t ticket = gateway->event.ticket;
    mllp_status_t status =
        answer_choose(answer, POLICY, mllp_responder_header_bytes(responder), &gateway->segments,
                      gateway->len > MAX_MESSAGE, gateway->now);
    if (status == MLLP_OK)
        status = answer_write(answer);
    if (status == MLLP_OK)
        status = mllp_responder_answer_with(responder, ticket, answer->bytes, answer->len,
                                            gateway->now);
    if (status != MLLP_OK)
        mllp_responder_leave_unanswered(responder, ticket, gateway->now);
    report_message(gateway, status == MLLP_OK          ? mllp_ack_code_name(answer->ack.code)
                            : status == MLLP_NOT_FOUND ? "none"
                                                       : mllp_status_name(status));
}

static void begin_segments(struct gateway *gateway) {
    gateway->header_came = true;
    segments_begin(&gateway->segments, mllp_responder_header_bytes(&gateway->responder));
}

/* Does what the event says. */
static void handle(struct gateway *gateway) {
    const mllp_responder_event_t *event = &gateway->event;
    switch (event->kind) {
    case MLLP_LINK_START:
        gateway->header_came = false;
        gateway->len = 0;
        break;
    case MLLP_LINK_HEADER:
        begin_segments(gateway);
        break;
    case MLLP_LINK_SPAN: /* a real gateway passes these bytes on */
        if (gateway->len <= MAX_MESSAGE)
            gateway->len += (uint32_t)event->payload.len;
        if (gateway->header_came)
            segments_pass(&gateway->segments, event->payload);
        break;
    case MLLP_LINK_MESSAGE:
        if (!gateway->header_came) /* and there is nothing behind it */
            begin_segments(gateway);
        segments_end(&gateway->segments);
        answer(gateway);
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

/* Whether there was anything to send. */
static bool send(struct gateway *gateway) {
    mllp_slice_t outgoing = mllp_responder_outgoing(&gateway->responder);
    size_t sent = uart_send((struct bytes){outgoing.data, outgoing.len});
    if (sent > 0)
        mllp_responder_sent(&gateway->responder, sent, gateway->now);
    return outgoing.len > 0;
}

bool gateway_serve(struct gateway *gateway) {
    struct bytes received = uart_received();
    size_t consumed = 0;
    gateway->now = clock_now();
    mllp_status_t status = mllp_responder_step(&gateway->responder, received.data, received.len,
                                               gateway->now, &consumed, &gateway->event);
    uart_taken(consumed);
    if (status == MLLP_OK)
        handle(gateway);
    bool sends = send(gateway);
    return status == MLLP_OK || consumed > 0 || sends;
}

void gateway_rest(struct gateway *gateway) {
    mllp_responder_on_time(&gateway->responder, gateway->now);
    if (uart_is_broken()) {
        /* The message that the missing bytes belong to must not be accepted. */
        mllp_responder_peer_closed(&gateway->responder, gateway->now);
        uart_mend();
    }
    if (mllp_responder_is_finished(&gateway->responder))
        listen(gateway);
}
