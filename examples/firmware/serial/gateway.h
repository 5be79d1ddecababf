/* The receiving end of a link on a serial line: bytes in, acknowledgments out. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "segments.h"
#include "uart.h"

#include <mllp.h>

/* The longest answer in bytes. One that quotes the longest header that is kept fits. */
#define MAX_ANSWER 1024

/* All memory of the protocol. What is large is here and not on the stack, where nobody sees how much
 * there must be. */
struct gateway {
    mllp_stream_responder_t responder;
    mllp_stream_step_t step;      /* what happens */
    mllp_ack_t ack;               /* the answer to it, */
    mllp_timestamp_t time;        /* its time, */
    uint8_t control_id[16];       /* and its name: */
    uint32_t answered;            /* how many have been given out */
    struct segments segments;     /* of the message that is passing by */
    bool header_came;             /* its header has come whole */
    uint32_t len;                 /* how many bytes of it have passed */
    uint8_t answers[2 * MAX_ANSWER];
    uint8_t received[1024];
};

/* Begins to listen. */
void gateway_start(struct gateway *gateway, uint64_t now);

/* Does what there is to do now. False: there is more. */
bool gateway_serve(struct gateway *gateway, uint64_t now);

#endif
