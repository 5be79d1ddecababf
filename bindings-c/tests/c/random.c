/* Bytes of a generator, read in every way: whatever they are, no way differs from another. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "stream.h"
#include "tests.h"
#include "walk.h"

enum { OPS = 6, LONGEST = 700 };

/* SplitMix64. */
static uint64_t seed;

static uint32_t below(uint32_t limit)
{
    uint64_t mixed = seed += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((mixed ^ (mixed >> 31)) >> 32) % limit;
}

static uint8_t any_byte(int long_runs)
{
    static const uint8_t special[] = {0x0B, 0x1C, 0x0D, 0x0A, 0x06, 0x15, 0x00, 0x20, 0x0B, 0x1C};
    if (below(long_runs ? 60 : 3) == 0)
        return special[below(sizeof special)];
    return long_runs ? (uint8_t)('A' + below(26)) : (uint8_t)below(256);
}

/* A line of up to `longest` bytes, with pauses and perhaps an end. */
static struct stream any_stream(uint32_t longest, struct op *ops, uint8_t *bytes)
{
    struct stream stream = {ops, 0};
    uint32_t left = 1 + below(longest), at = 0;
    for (uint32_t i = 0; i < left; i++)
        bytes[i] = any_byte(longest > 100);
    while (left > 0 && stream.count < OPS - 2) {
        uint32_t len = stream.count == OPS - 3 ? left : 1 + below(left);
        struct op read = {OP_BYTES, NULL, 0}, idle = {OP_IDLE, NULL, 0};
        read.bytes = bytes + at;
        read.len = len;
        ops[stream.count++] = read;
        at += len;
        left -= len;
        if (below(2) == 0 && stream.count < OPS - 2)
            ops[stream.count++] = idle;
    }
    if (below(2) == 0) {
        struct op eof = {OP_EOF, NULL, 0};
        ops[stream.count++] = eof;
    }
    return stream;
}

static mllp_config_t any_config(void)
{
    mllp_config_t config = mllp_config_default();
    config.profile = below(3);
    if (below(2) == 0)
        config.max_payload_len = below(12);
    if (below(4) == 0)
        config.framing.has_trailer = 0;
    return config;
}

/* Something like a message: what HL7 gives a meaning is frequent, and nothing is right. */
static size_t any_message(uint8_t *bytes, size_t longest)
{
    static const char likely[] = "||||^~\\&&\r\r\nMSHPIDA1\"\"FE";
    size_t len = below((uint32_t)longest), at = 0;
    if (below(4) != 0 && len > 9)
        for (; at < 9; at++)
            bytes[at] = below(20) == 0 ? (uint8_t)below(256) : (uint8_t)"MSH|^~\\&|"[at];
    for (; at < len; at++)
        bytes[at] = below(8) == 0 ? (uint8_t)below(256) : (uint8_t)likely[below(sizeof likely - 1)];
    return len;
}

/* The answer to whatever came is one frame without a fault, if it can be written at all. */
static void answer(mllp_slice_t payload)
{
    static const uint8_t id[] = "4711", when[] = "20260101";
    mllp_message_header_t header;
    uint8_t frame[2048];
    size_t len;
    for (mllp_scan_t scan = MLLP_SCAN_SINGLE_BYTE; scan <= MLLP_SCAN_AUTO; scan++) {
        int found = mllp_message_header_parse_lenient_with(payload.data, payload.len, scan,
                                                           &header) == MLLP_OK;
        mllp_ack_t ack = mllp_ack_always(MLLP_ACK_AE, found ? &header : NULL, id, 4, when, 8);
        mllp_config_t config = mllp_config_default();
        mllp_decoder_t decoder;
        mllp_decoded_t decoded;
        ack.scan = scan;
        ack.text = payload;
        config.profile = MLLP_PROFILE_RESYNC;
        CHECK(mllp_encode_ack(&ack, frame, sizeof frame, &len) == MLLP_OK);
        CHECK(mllp_decoder_init(&decoder, &config) == MLLP_OK);
        CHECK(mllp_decoder_decode(&decoder, frame, len, &decoded) == MLLP_OK);
        CHECK(decoded.event.kind == MLLP_EVENT_FRAME && decoded.event.deviations == 0);
        CHECK(decoded.consumed == len);
    }
}

static void random_messages(unsigned long rounds)
{
    static uint8_t bytes[120];
    struct block block = {0};
    for (unsigned long round = 0; round < rounds; round++) {
        mllp_slice_t payload;
        mllp_path_t path;
        mllp_status_t status;
        subject.numbers[0] = (size_t)seed;
        block_copy(&block, bytes, any_message(bytes, sizeof bytes));
        payload.data = block.data;
        payload.len = block.len;
        walk(payload);
        answer(payload);
        status = mllp_path_parse(payload.data, payload.len, &path);
        CHECK(status == MLLP_OK || status == MLLP_ERR_BAD_PATH);
    }
    block_free(&block);
}

void test_random(unsigned long rounds)
{
    static uint8_t bytes[LONGEST];
    struct op ops[OPS];
    struct log log = {0};
    unsigned long runs = 0, events = 0;
    memset(&subject, 0, sizeof subject);
    subject.name = "random bytes from seed";
    seed = 20260101;
    for (unsigned long round = 0; round < rounds; round++) {
        uint32_t longest = round % 50 == 49 ? LONGEST : 24;
        subject.numbers[0] = (size_t)seed;
        struct stream stream = any_stream(longest, ops, bytes);
        mllp_config_t config = any_config();
        runs += stream_read_in_every_way(&stream, &config, 12, &log);
        events += log.count;
    }
    log_free(&log);
    random_messages(10 * rounds);
    CHECK(events >= rounds); /* else nothing was tested */
    printf("random: %lu streams read %lu times, %lu events\n", rounds, runs, events);
}
