#include "answer.h"

#include "clock.h"

#define TEXT(text) ((mllp_slice_t){(const uint8_t *)(text), sizeof(text) - 1})

/* By the policy `always`, as much of it as can be read; by `conformant`, one without fault. */
static mllp_status_t read_header(mllp_policy_t policy, mllp_slice_t bytes,
                                 mllp_message_header_t *header) {
    mllp_message_t message;
    mllp_status_t status;
    if (policy == MLLP_POLICY_ALWAYS)
        return mllp_message_header_parse_lenient(bytes.data, bytes.len, header);
    status = mllp_message_parse(bytes.data, bytes.len, &message);
    return status == MLLP_OK ? mllp_message_header(&message, header) : status;
}

/* Why the message must not be accepted; empty if it may. */
static mllp_slice_t objection(const struct answer *answer, mllp_policy_t policy,
                              const struct segments *segments, bool too_long) {
    if (too_long)
        return TEXT("the message is too long");
    if (policy == MLLP_POLICY_ALWAYS)
        return TEXT("");
    if (segments->batch)
        return TEXT("a batch has no single acknowledgment");
    if (mllp_message_header_field(&answer->header, MLLP_MSH_MESSAGE_CONTROL_ID).len == 0)
        return TEXT("no message control ID");
    return TEXT("");
}

static mllp_ack_code_t choose_code(const struct answer *answer, mllp_policy_t policy,
                                   mllp_inbound_t inbound, mllp_outcome_t outcome) {
    mllp_request_t request;
    mllp_decision_t decision;
    if (policy == MLLP_POLICY_ALWAYS)
        return mllp_ack_code_new(MLLP_PHASE_APPLICATION, outcome);
    mllp_request_of(&answer->header, inbound, &request);
    mllp_request_decide(&request, outcome, outcome, &decision);
    return decision.accept ? decision.accept : decision.application;
}

/* When the board started, and how many answers it has given since. */
static void next_control_id(struct answer *answer) {
    uint32_t words[2] = {clock_started(), answer->count++};
    for (unsigned at = 0; at < sizeof answer->control_id; at++)
        answer->control_id[at] =
            (uint8_t)"0123456789ABCDEF"[words[at / 8] >> (28 - 4 * (at % 8)) & 15];
}

static void fill_in(struct answer *answer, mllp_policy_t policy, mllp_ack_code_t code,
                    const mllp_message_header_t *header, mllp_slice_t text, uint64_t now) {
    int64_t seconds = clock_started() + (int64_t)(now / 1000);
    next_control_id(answer);
    answer->time = policy == MLLP_POLICY_ALWAYS ? mllp_timestamp_utc(seconds)
                                                : mllp_timestamp_with_offset(seconds, 0);
    answer->ack = mllp_ack_always(code, header, answer->control_id, sizeof answer->control_id,
                                  answer->time.text, answer->time.len);
    answer->ack.policy = policy;
    answer->ack.text = text;
}

mllp_status_t answer_choose(struct answer *answer, mllp_policy_t policy, mllp_slice_t header,
                            const struct segments *segments, bool too_long, uint64_t now) {
    mllp_status_t status = read_header(policy, header, &answer->header);
    const mllp_message_header_t *found = status == MLLP_OK ? &answer->header : NULL;
    if (!found && policy == MLLP_POLICY_CONFORMANT)
        return MLLP_NOT_FOUND;
    mllp_slice_t text = objection(answer, policy, segments, too_long);
    mllp_outcome_t outcome = text.len ? MLLP_OUTCOME_REJECT : MLLP_OUTCOME_ACCEPT;
    mllp_ack_code_t code = choose_code(answer, policy, segments->inbound, outcome);
    if (code == MLLP_ACK_NONE)
        return MLLP_NOT_FOUND;
    fill_in(answer, policy, code, found, text, now);
    return MLLP_OK;
}

mllp_status_t answer_write(struct answer *answer) {
    mllp_status_t status;
    /* Names of a thousand bytes must not cost the sender its answer: the control ID counts. */
    do {
        status = mllp_ack_encode(&answer->ack, answer->bytes, sizeof answer->bytes, &answer->len);
    } while (status == MLLP_ERR_BUFFER_TOO_SMALL && !answer->ack.brief++);
    return status;
}
