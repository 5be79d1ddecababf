#include "segments.h"

void segments_begin(struct segments *segments, mllp_slice_t header) {
    mllp_message_t message;
    *segments = (struct segments){.inbound = MLLP_INBOUND_MESSAGE};
    if (mllp_message_parse_lenient(header.data, header.len, MLLP_SCAN_SINGLE_BYTE, &message))
        return;
    segments->field = mllp_message_delimiters(&message).field;
    segments->line_feed = mllp_message_terminator(&message) == MLLP_TERMINATOR_LINE_FEED;
    segments->batch = mllp_message_kind(&message) == MLLP_MESSAGE_BATCH;
}

void segments_pass(struct segments *segments, mllp_slice_t span) {
    for (size_t at = 0; at < span.len; at++) {
        uint8_t byte = span.data[at];
        /* A line feed behind a carriage return belongs to it. */
        if (byte == '\r' || (byte == '\n' && (segments->line_feed || segments->len == 0)))
            segments_end(segments);
        else if (segments->len < sizeof segments->start)
            segments->start[segments->len++] = byte;
    }
}

static bool is(const struct segments *segments, const char *id) {
    const uint8_t *start = segments->start;
    return segments->len > 3 && start[0] == id[0] && start[1] == id[1] && start[2] == id[2] &&
           start[3] == segments->field;
}

void segments_end(struct segments *segments) {
    if (is(segments, "MSH")) {
        segments->batch = true;
    } else if (is(segments, "MSA")) {
        mllp_slice_t code = {segments->start + 4, segments->len - 4u};
        segments->inbound = mllp_inbound_from_msa(code);
    }
    segments->len = 0;
}
