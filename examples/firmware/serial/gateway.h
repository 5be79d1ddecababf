/* The receiving end of a link on a serial line: bytes in, acknowledgments out. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "answer.h"
#include "uart.h"

/* All memory of the protocol. What is large is here and not on the stack, where nobody sees how
 * much there must be. */
struct gateway {
    mllp_responder_t responder;
    uint64_t now;
    mllp_responder_event_t event; /* what happens */
    struct segments segments;     /* of the message that is passing by */
    bool header_came;             /* its header has come whole */
    uint32_t len;                 /* how many bytes of it have passed */
    struct answer answer;         /* to it */
    uint8_t answers[MAX_ANSWER];  /* on their way from the responder to the line */
    uint8_t received[1024];       /* on their way from the line to the responder */
};

/* Begins to listen. */
void gateway_start(struct gateway *gateway);

/* Does the next thing that there is to do. False: there was none. */
bool gateway_serve(struct gateway *gateway);

/* There is nothing to do: for how long, and why? A link that has ended begins anew. */
void gateway_rest(struct gateway *gateway);

#endif
