/* A stream, the four ways to read it, and the log of what happened in it. */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "mllp.h"

enum op_kind { OP_BYTES, OP_IDLE, OP_EOF };

struct op {
    enum op_kind kind;
    const uint8_t *bytes;
    size_t len;
};

/* What happens on a line, one thing after the other. */
struct stream {
    const struct op *ops;
    size_t count;
};

size_t stream_len(const struct stream *stream);

/* Scanner; decoder; receive buffer that is fed chunks; receive buffer that is read into. */
enum use { USE_SCANNER, USE_DECODER, USE_FEED, USE_READ_INTO, USES };
extern const char *const use_names[USES];

/* Where the bytes are cut into reads: behind each byte, or at two places, counted from the beginning
 * of the stream. A cut at 0 is none. */
struct cuts {
    int everywhere;
    size_t at[2];
};

/* What happened. Of a frame, `payload` is a copy; that of a fault is checked and not kept, because
 * how much of a lost frame is at hand depends on the use. */
struct log {
    mllp_event_t *events;
    size_t count, room;
    mllp_counters_t counters;
};

void log_clear(struct log *log);
void log_free(struct log *log);
int log_equal(const struct log *log, const struct log *other);

/* Reads a stream. The log is cleared first. */
void stream_read(const struct stream *stream, enum use use, const mllp_config_t *config,
                 struct cuts cuts, struct log *log);

/* Reads it in every use, whole, byte by byte, cut at every place, and at every two when it has no
 * more than `pairs` bytes: the logs must be that of a scanner that reads it whole, which is left in
 * `whole`. Returns how many times it was read. */
unsigned long stream_read_in_every_way(const struct stream *stream, const mllp_config_t *config,
                                       size_t pairs, struct log *whole);

#endif
