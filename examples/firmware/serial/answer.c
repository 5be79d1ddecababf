#include "answer.h"

#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* What mllp_check reports, without its list. */
static const mllp_error_detail_t batch = {
    .code = MLLP_ERROR_CODE_UNSUPPORTED_MESSAGE_TYPE,
    .diagnostic = TEXT("a batch has no single acknowledgment"),
};
static const mllp_error_detail_t no_control_id = {
    .code = MLLP_ERROR_CODE_REQUIRED_FIELD_MISSING,
    .location = {.segment = TEXT("MSH"), .occurrence = 1, .field = 10},
};

struct answer answer_choose(mllp_policy_t policy, const mllp_stream_responder_t *responder,
                            const struct segments *segments) {
    mllp_message_header_t header;
    mllp_request_t request;
    mllp_decision_t decision;
    const mllp_error_detail_t *error = NULL;
    mllp_outcome_t outcome = MLLP_OUTCOME_ACCEPT;

    if (policy == MLLP_POLICY_ALWAYS)
        return (struct answer){MLLP_ACK_AA, NULL};
    if (mllp_stream_responder_header(responder, &header) != MLLP_OK)
        return (struct answer){MLLP_ACK_NONE, NULL}; /* nobody to answer to */
    if (segments->batch)
        error = &batch;
    else if (mllp_message_header_message_control_id(&header).len == 0)
        error = &no_control_id;
    if (error)
        outcome = MLLP_OUTCOME_REJECT;
    mllp_request_of(&header, segments->inbound, &request);
    mllp_request_decide(&request, outcome, outcome, &decision);
    return (struct answer){decision.accept ? decision.accept : decision.application, error};
}
