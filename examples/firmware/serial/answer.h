/* Which answer a message gets that is stored. */
#ifndef ANSWER_H
#define ANSWER_H

#include "segments.h"

struct answer {
    mllp_ack_code_t code;             /* MLLP_ACK_NONE: it gets none */
    const mllp_error_detail_t *error; /* why it must not be accepted, or NULL */
};

/* By the policy `always`, everything is accepted. By `conformant`, chapter 2 decides (2.8.2,
 * 2.8.3): what must not be accepted is rejected, in enhanced mode the accept acknowledgment goes first,
 * and a sender that wants no answer gets none. */
struct answer answer_choose(mllp_policy_t policy, const mllp_stream_responder_t *responder,
                            const struct segments *segments);

#endif
