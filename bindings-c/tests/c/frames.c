/* vectors/mllp_frames.json: every stream, in every profile, in every use, at every split. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "stream.h"
#include "tests.h"

enum { PROFILES = 3, PAIRS_UP_TO = 31 };

/* `deviation_offset` is not in the vectors: it is 0. */
struct events {
    const mllp_event_t *events;
    size_t count;
};

struct frames_vector {
    const char *id;
    size_t max_payload_len;
    struct stream stream;
    struct events expect[PROFILES]; /* by number of the profile */
};

struct encode_vector {
    const char *id;
    mllp_slice_t payload;
    mllp_slice_t frame;
    const char *status;
};

#include "frames.vectors.h"

static void check_events(const struct log *log, const struct events *expect)
{
    struct log wanted = {NULL, 0, 0, log->counters};
    CHECK(log->count == expect->count);
    if (log->count != expect->count || log->count == 0)
        return;
    wanted.events = malloc(expect->count * sizeof *wanted.events);
    wanted.count = expect->count;
    memcpy(wanted.events, expect->events, expect->count * sizeof *wanted.events);
    for (size_t i = 0; i < wanted.count; i++)
        wanted.events[i].deviation_offset = log->events[i].deviation_offset;
    CHECK(log_equal(log, &wanted));
    free(wanted.events);
}

static void check_counters(const struct log *log)
{
    uint64_t frames = 0, dropped = 0, outside = 0;
    for (size_t i = 0; i < log->count; i++) {
        const mllp_event_t *event = &log->events[i];
        frames += event->kind == MLLP_EVENT_FRAME;
        if (event->kind == MLLP_EVENT_DISCARD)
            *(event->discard_reason == MLLP_DISCARD_DROPPED ? &dropped : &outside) += event->len;
    }
    CHECK(log->counters.frames == frames);
    CHECK(log->counters.bytes_dropped == dropped);
    CHECK(log->counters.bytes_outside >= outside); /* a run that has not ended is not reported */
}

/* A payload over the limit lends no part of a field to a refusal. */
static void lost_beginnings(void)
{
    static const char frame[] = "\x0bMSH|^~\\&|AB|CD|EF|GH|2026||ADT^A01|M4711|P|2.5\rPID|1\r\x1c\r";
    mllp_config_t config = mllp_config_default();
    uint8_t memory[128];
    memset(&subject, 0, sizeof subject);
    subject.name = "lost beginnings";
    for (size_t limit = 1; limit < 48; limit++) {
        mllp_receive_buffer_t buffer;
        mllp_decoded_t out;
        const uint8_t *last;
        subject.numbers[0] = limit;
        config.max_payload_len = limit;
        CHECK(mllp_receive_buffer_init(&buffer, &config, memory, sizeof memory) == MLLP_OK);
        CHECK(mllp_receive_buffer_feed(&buffer, (const uint8_t *)frame, sizeof frame - 1, &out) ==
              MLLP_OK);
        CHECK(out.event.kind == MLLP_EVENT_FAULT && out.event.fault == MLLP_FAULT_TOO_LARGE);
        CHECK(out.event.payload.len <= limit);
        last = out.event.payload.data + out.event.payload.len - 1;
        CHECK(limit < 5 || out.event.payload.len == 0 || *last == '|' || *last == '\r');
    }
}

void test_frames(void)
{
    unsigned long runs = 0;
    struct log log = {0};
    for (size_t i = 0; i < sizeof frames_vectors / sizeof *frames_vectors; i++) {
        const struct frames_vector *vector = &frames_vectors[i];
        for (mllp_profile_t profile = 0; profile < PROFILES; profile++) {
            mllp_config_t config = mllp_config_default();
            config.profile = profile;
            config.max_payload_len = vector->max_payload_len;
            memset(&subject, 0, sizeof subject);
            subject.name = vector->id;
            subject.numbers[0] = profile;
            runs += stream_read_in_every_way(&vector->stream, &config, PAIRS_UP_TO, &log);
            check_events(&log, &vector->expect[profile]);
            check_counters(&log);
        }
    }
    log_free(&log);
    lost_beginnings();
    CHECK(runs > 100000);
    printf("frames: %zu streams read %lu times\n", sizeof frames_vectors / sizeof *frames_vectors,
           runs);
}

/* Into room of every length up to enough. */
static void check_encode(const struct encode_vector *vector, const mllp_framing_t *framing)
{
    struct block payload = {0}, room = {0};
    size_t need = mllp_encoded_len(vector->payload.len), len;
    CHECK(need == vector->payload.len + MLLP_FRAME_OVERHEAD);
    CHECK(need == mllp_framing_encoded_len(mllp_framing_default(), vector->payload.len));
    block_copy(&payload, vector->payload.data, vector->payload.len);
    for (size_t capacity = 0; capacity <= need; capacity++) {
        mllp_status_t status;
        subject.numbers[0] = capacity;
        block_make(&room, capacity);
        mark_untouched(&len, sizeof len);
        status = framing == NULL
                     ? mllp_encode(payload.data, payload.len, room.data, capacity, &len)
                     : mllp_framing_encode(framing, payload.data, payload.len, room.data, capacity,
                                           &len);
        if (capacity == need && strcmp(vector->status, "ok") == 0) {
            CHECK(status == MLLP_OK && len == need && len == vector->frame.len);
            CHECK(memcmp(room.data, vector->frame.data, vector->frame.len) == 0);
        } else {
            const char *name = mllp_status_name(status);
            CHECK(is_untouched(&len, sizeof len));
            CHECK(strcmp(name, vector->status) == 0 || status == MLLP_ERR_BUFFER_TOO_SMALL);
            CHECK(status < 0 && (capacity < need || status != MLLP_ERR_BUFFER_TOO_SMALL));
        }
    }
    block_free(&payload);
    block_free(&room);
}

void test_encode(void)
{
    mllp_framing_t framing = mllp_framing_default();
    memset(&subject, 0, sizeof subject);
    for (size_t i = 0; i < sizeof encode_vectors / sizeof *encode_vectors; i++) {
        subject.name = encode_vectors[i].id;
        check_encode(&encode_vectors[i], NULL);
        check_encode(&encode_vectors[i], &framing);
    }
}
