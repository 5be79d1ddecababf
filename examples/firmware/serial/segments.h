/* What the segments behind the header say about a message, seen while they pass by. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include <mllp.h>

#include <stdbool.h>

struct segments {
    uint8_t start[6];    /* of the current segment: `MSA|AA` is the longest that tells something */
    uint8_t len;         /* how many bytes of it have come, up to the size of `start` */
    uint8_t field;       /* the field separator */
    bool line_feed;      /* a line feed ends a segment as well */
    bool batch;          /* no single acknowledgment answers it (2.9.3) */
    mllp_inbound_t inbound; /* whether it is an acknowledgment itself */
};

/* A message begins, whose header is this. */
void segments_begin(struct segments *segments, mllp_slice_t header);

/* The bytes behind the header, as they come. */
void segments_pass(struct segments *segments, mllp_slice_t span);

/* The message has ended. */
void segments_end(struct segments *segments);

#endif
