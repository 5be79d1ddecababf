#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "check.h"

const char *const use_names[USES] = {"scanner", "decoder", "receive buffer", "read into"};

struct reader {
    enum use use;
    const struct stream *stream;
    struct log *log;
    union {
        mllp_scanner_t scanner;
        mllp_decoder_t decoder;
        mllp_receive_buffer_t buffer;
    } state;
    /* What the library is shown: a read, or everything unread. */
    struct block shown;
    /* What is given to a receive buffer; where the spans of a scanner are joined. */
    struct block memory;
    size_t joined;
    /* How long the shown bytes may get, says the decoder. */
    size_t buffer_len;
};

size_t stream_len(const struct stream *stream)
{
    size_t len = 0;
    for (size_t i = 0; i < stream->count; i++)
        len += stream->ops[i].len;
    return len;
}

/* Whether the bytes stand in the stream right behind a start block. */
static int behind_a_start_block(const struct stream *stream, mllp_slice_t bytes)
{
    size_t len = stream_len(stream), at = 0;
    uint8_t *all = malloc(len + 1);
    int found = 0;
    for (size_t i = 0; i < stream->count; i++) {
        if (stream->ops[i].len > 0)
            memcpy(all + at, stream->ops[i].bytes, stream->ops[i].len);
        at += stream->ops[i].len;
    }
    for (at = 1; at + bytes.len <= len && !found; at++)
        found = all[at - 1] == MLLP_START_BLOCK && memcmp(all + at, bytes.data, bytes.len) == 0;
    free(all);
    return found;
}

static void note(struct reader *reader, mllp_event_t event)
{
    struct log *log = reader->log;
    switch (event.kind) {
    case MLLP_EVENT_FRAME_START:
        CHECK(reader->use == USE_SCANNER);
        reader->joined = 0;
        return;
    case MLLP_EVENT_PAYLOAD:
        CHECK(reader->use == USE_SCANNER);
        CHECK(event.payload.len > 0 && event.len == event.payload.len);
        memcpy(reader->memory.data + reader->joined, event.payload.data, event.payload.len);
        reader->joined += event.payload.len;
        return;
    case MLLP_EVENT_FRAME: {
        uint8_t *copy = malloc((size_t)event.len + 1);
        if (reader->use == USE_SCANNER) {
            CHECK(event.payload.data == NULL && event.payload.len == 0);
            event.payload.data = reader->memory.data;
            event.payload.len = reader->joined;
        }
        CHECK(event.payload.len == event.len);
        if (event.payload.len > 0)
            memcpy(copy, event.payload.data, event.payload.len);
        event.payload.data = copy;
        break;
    }
    case MLLP_EVENT_FAULT:
        if (event.payload.len > 0)
            CHECK(behind_a_start_block(reader->stream, event.payload));
        event.payload.data = NULL;
        event.payload.len = 0;
        break;
    default:
        CHECK(event.kind == MLLP_EVENT_WARNING || event.kind == MLLP_EVENT_DISCARD);
        CHECK(event.payload.data == NULL && event.payload.len == 0);
    }
    if (log->count == log->room) {
        log->room = 2 * log->room + 16;
        log->events = realloc(log->events, log->room * sizeof *log->events);
    }
    log->events[log->count++] = event;
}

/* What a call said: whether an event is to be taken. */
static int said(mllp_status_t status, const mllp_event_t *event)
{
    CHECK(status == MLLP_OK || status == MLLP_PARTIAL);
    CHECK((status == MLLP_OK) == (event->kind != MLLP_EVENT_NONE));
    return status == MLLP_OK;
}

static void reader_open(struct reader *reader, const mllp_config_t *config)
{
    size_t longest = stream_len(reader->stream) + MLLP_FRAME_OVERHEAD;
    mllp_decoder_t decoder;
    CHECK(mllp_decoder_init(&decoder, config) == MLLP_OK);
    CHECK(mllp_decoder_buffer_len(&decoder, &reader->buffer_len) == MLLP_OK);
    if (config->max_payload_len == SIZE_MAX)
        CHECK(reader->buffer_len == SIZE_MAX);
    else
        CHECK(reader->buffer_len == config->max_payload_len + MLLP_FRAME_OVERHEAD);
    if (reader->buffer_len < longest && reader->use != USE_SCANNER)
        longest = reader->buffer_len;
    block_make(&reader->memory, longest);
    /* What was in the memory before must not matter. */
    memset(&reader->state, 0xEE, sizeof reader->state);
    switch (reader->use) {
    case USE_SCANNER:
        CHECK(mllp_scanner_init(&reader->state.scanner, config) == MLLP_OK);
        break;
    case USE_DECODER:
        CHECK(mllp_decoder_init(&reader->state.decoder, config) == MLLP_OK);
        block_make(&reader->shown, 0);
        break;
    default:
        CHECK(mllp_receive_buffer_init(&reader->state.buffer, config, reader->memory.data,
                                       reader->memory.len) == MLLP_OK);
    }
}

/* Half a frame, which a reset forgets. */
static void spoil_and_reset(struct reader *reader)
{
    static const uint8_t half[] = {'j', 'u', 'n', 'k', MLLP_START_BLOCK, 'A', MLLP_END_BLOCK};
    mllp_decoded_t decoded;
    switch (reader->use) {
    case USE_SCANNER:
        CHECK(mllp_scanner_step(&reader->state.scanner, half, sizeof half, &decoded) >= 0);
        CHECK(mllp_scanner_reset(&reader->state.scanner) == MLLP_OK);
        break;
    case USE_DECODER:
        CHECK(mllp_decoder_decode(&reader->state.decoder, half, sizeof half, &decoded) >= 0);
        CHECK(mllp_decoder_reset(&reader->state.decoder) == MLLP_OK);
        break;
    default:
        CHECK(mllp_receive_buffer_feed(&reader->state.buffer, half, sizeof half, &decoded) >= 0);
        CHECK(mllp_receive_buffer_reset(&reader->state.buffer) == MLLP_OK);
    }
}

/* Drops bytes from the front of what is shown, and puts others behind it. */
static void show(struct reader *reader, size_t dropped, const uint8_t *bytes, size_t len)
{
    struct block next = {0};
    size_t kept = reader->shown.len - dropped;
    CHECK(dropped <= reader->shown.len);
    block_make(&next, kept + len);
    if (kept > 0)
        memcpy(next.data, reader->shown.data + dropped, kept);
    if (len > 0)
        memcpy(next.data + kept, bytes, len);
    block_free(&reader->shown);
    reader->shown = next;
}

typedef mllp_status_t decoder_call(mllp_decoder_t *, const uint8_t *, size_t, mllp_decoded_t *);

static int decoder_take(struct reader *reader, decoder_call *call)
{
    mllp_decoded_t decoded;
    mllp_status_t status =
        call(&reader->state.decoder, reader->shown.data, reader->shown.len, &decoded);
    int event = said(status, &decoded.event);
    if (event)
        note(reader, decoded.event);
    if (decoded.consumed > 0)
        show(reader, decoded.consumed, NULL, 0);
    return event;
}

static void read_into(struct reader *reader, const uint8_t *bytes, size_t len)
{
    mllp_receive_buffer_t *buffer = &reader->state.buffer;
    while (len > 0) {
        mllp_room_t room;
        mllp_event_t event;
        size_t some;
        CHECK(mllp_receive_buffer_spare(buffer, len, &room) == MLLP_OK);
        CHECK(room.len > 0 && room.data != NULL);
        if (room.len == 0)
            return;
        some = room.len < len ? room.len : len;
        memcpy(room.data, bytes, some);
        CHECK(mllp_receive_buffer_commit(buffer, some) == MLLP_OK);
        bytes += some;
        len -= some;
        while (said(mllp_receive_buffer_next_event(buffer, &event), &event))
            note(reader, event);
    }
}

static void reader_bytes(struct reader *reader, const uint8_t *bytes, size_t len)
{
    mllp_decoded_t decoded;
    size_t done = 0;
    switch (reader->use) {
    case USE_DECODER:
        show(reader, 0, bytes, len);
        while (decoder_take(reader, mllp_decoder_decode))
            continue;
        CHECK(reader->shown.len < reader->buffer_len); /* there is room to read on */
        return;
    case USE_READ_INTO:
        read_into(reader, bytes, len);
        return;
    default:
        block_copy(&reader->shown, bytes, len);
        for (;;) {
            const uint8_t *rest = reader->shown.data + done;
            mllp_status_t status =
                reader->use == USE_SCANNER
                    ? mllp_scanner_step(&reader->state.scanner, rest, len - done, &decoded)
                    : mllp_receive_buffer_feed(&reader->state.buffer, rest, len - done, &decoded);
            CHECK(decoded.consumed <= len - done);
            done += decoded.consumed;
            if (!said(status, &decoded.event))
                break;
            note(reader, decoded.event);
        }
        CHECK(done == len);
    }
}

static void reader_idle(struct reader *reader)
{
    mllp_event_t event;
    if (reader->use == USE_DECODER)
        decoder_take(reader, mllp_decoder_idle);
    else if (reader->use == USE_SCANNER
                 ? said(mllp_scanner_idle(&reader->state.scanner, &event), &event)
                 : said(mllp_receive_buffer_idle(&reader->state.buffer, &event), &event))
        note(reader, event);
}

static void reader_eof(struct reader *reader)
{
    mllp_event_t event;
    switch (reader->use) {
    case USE_DECODER:
        while (decoder_take(reader, mllp_decoder_finish))
            continue;
        CHECK(reader->shown.len == 0);
        return;
    case USE_SCANNER:
        while (said(mllp_scanner_finish(&reader->state.scanner, &event), &event))
            note(reader, event);
        return;
    default:
        while (said(mllp_receive_buffer_finish(&reader->state.buffer, &event), &event))
            note(reader, event);
    }
}

static void reader_close(struct reader *reader)
{
    mllp_counters_t *counters = &reader->log->counters;
    if (reader->use == USE_SCANNER)
        CHECK(mllp_scanner_counters(&reader->state.scanner, counters) == MLLP_OK);
    else if (reader->use == USE_DECODER)
        CHECK(mllp_decoder_counters(&reader->state.decoder, counters) == MLLP_OK);
    else
        CHECK(mllp_receive_buffer_counters(&reader->state.buffer, counters) == MLLP_OK);
    block_free(&reader->shown);
    block_free(&reader->memory);
}

/* The bytes from `begin` to `end` of the stream that are in one read, beginning at `at`. */
static size_t read_len(struct cuts cuts, size_t at, size_t end)
{
    if (cuts.everywhere)
        return 1;
    for (size_t i = 0; i < 2; i++)
        if (cuts.at[i] > at && cuts.at[i] < end)
            end = cuts.at[i];
    return end - at;
}

void stream_read(const struct stream *stream, enum use use, const mllp_config_t *config,
                 struct cuts cuts, struct log *log)
{
    struct reader reader;
    size_t at = 0;
    memset(&reader, 0, sizeof reader);
    reader.use = use;
    reader.stream = stream;
    reader.log = log;
    log_clear(log);
    reader_open(&reader, config);
    if (cuts.at[0] % 2 == 1)
        spoil_and_reset(&reader);
    for (size_t i = 0; i < stream->count; i++) {
        const struct op *op = &stream->ops[i];
        size_t begin = at, end = at + op->len;
        while (at < end) {
            size_t len = read_len(cuts, at, end);
            reader_bytes(&reader, op->bytes + (at - begin), len);
            at += len;
        }
        if (op->kind == OP_IDLE)
            reader_idle(&reader);
        if (op->kind == OP_EOF)
            reader_eof(&reader);
    }
    reader_close(&reader);
}

static unsigned long compare(const struct stream *stream, const mllp_config_t *config,
                             struct cuts cuts, const struct log *whole)
{
    struct log log = {0};
    subject.numbers[1] = cuts.everywhere ? 1 : cuts.at[0];
    subject.numbers[2] = cuts.everywhere ? 1 : cuts.at[1];
    for (int use = 0; use < USES; use++) {
        subject.part = use_names[use];
        stream_read(stream, (enum use)use, config, cuts, &log);
        CHECK(log_equal(&log, whole));
    }
    log_free(&log);
    return USES;
}

unsigned long stream_read_in_every_way(const struct stream *stream, const mllp_config_t *config,
                                       size_t pairs, struct log *whole)
{
    unsigned long runs = 1;
    size_t len = stream_len(stream);
    struct cuts cuts = {0, {0, 0}};
    subject.part = use_names[USE_SCANNER];
    stream_read(stream, USE_SCANNER, config, cuts, whole);
    runs += compare(stream, config, cuts, whole);
    for (cuts.at[0] = 1; cuts.at[0] < len; cuts.at[0]++) {
        cuts.at[1] = 0;
        runs += compare(stream, config, cuts, whole);
        if (len <= pairs)
            for (cuts.at[1] = cuts.at[0] + 1; cuts.at[1] < len; cuts.at[1]++)
                runs += compare(stream, config, cuts, whole);
    }
    cuts.everywhere = 1;
    return runs + compare(stream, config, cuts, whole);
}
