/* Which answer a message gets that is stored, and its bytes. */
#ifndef ANSWER_H
#define ANSWER_H

#include "segments.h"

/* The longest answer in bytes. One that quotes the longest header that is kept fits. */
#define MAX_ANSWER 1024

struct answer {
    mllp_message_header_t header; /* of the message */
    mllp_ack_t ack;
    mllp_timestamp_t time;
    uint8_t control_id[16];
    uint32_t count; /* how many control IDs have been given out */
    size_t len;     /* of the bytes */
    uint8_t bytes[MAX_ANSWER - MLLP_FRAME_OVERHEAD];
};

/* Chooses the answer to the message with these bytes of a header. What is too long is rejected. By
 * the policy `always`, everything else is accepted. By `conformant`, chapter 2 decides (2.8.2,
 * 2.8.3): what must not be accepted is rejected, and in enhanced mode the accept acknowledgment is
 * the one that goes back.
 *
 * MLLP_NOT_FOUND: there is none, because the sender wants none or has no header. */
mllp_status_t answer_choose(struct answer *answer, mllp_policy_t policy, mllp_slice_t header,
                            const struct segments *segments, bool too_long, uint64_t now);

/* Writes the answer that was chosen.
 *
 * mllp_responder_answer does both and sends it, in one call. One step after the other needs much less
 * stack. */
mllp_status_t answer_write(struct answer *answer);

#endif
