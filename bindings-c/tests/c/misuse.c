/* What no correct program does: each is answered with a status, and changes nothing. */
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

#define BEYOND ((size_t)PTRDIFF_MAX + 1)

/* A call that is refused and leaves its state alone. */
#define STATE_KEPT(state, expected, call)                                                           \
    do {                                                                                            \
        unsigned char before_[sizeof(state)];                                                       \
        memcpy(before_, &(state), sizeof(state));                                                   \
        CHECK((call) == (expected));                                                                \
        CHECK(same_bytes(before_, &(state), sizeof(state)));                                        \
    } while (0)

static const uint8_t byte = MLLP_START_BLOCK;

/* What all functions of a decoder, a scanner and a receive buffer that take bytes have in common. */
#define MISUSE_OF_BYTES(function, type, other)                                                      \
    do {                                                                                            \
        type zeroed, *none = NULL;                                                                  \
        mllp_decoded_t out;                                                                         \
        memset(&zeroed, 0, sizeof zeroed);                                                          \
        REFUSED(MLLP_ERR_NULL, out, function(none, &byte, 1, &out));                                \
        REFUSED(MLLP_ERR_NOT_INITIALISED, out, function(&zeroed, &byte, 1, &out));                  \
        REFUSED(MLLP_ERR_NOT_INITIALISED, out, function((type *)(void *)&other, &byte, 1, &out));   \
    } while (0)

#define MISUSE_OF_LENGTHS(function, state)                                                          \
    do {                                                                                            \
        mllp_decoded_t out;                                                                         \
        STATE_KEPT(state, MLLP_ERR_NULL, function(&state, &byte, 1, NULL));                         \
        REFUSED(MLLP_ERR_NULL, out, function(&state, NULL, 1, &out));                               \
        REFUSED(MLLP_ERR_NULL, out, function(&state, NULL, SIZE_MAX, &out));                        \
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, out, function(&state, &byte, BEYOND, &out));             \
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, out, function(&state, &byte, SIZE_MAX, &out));           \
        CHECK(function(&state, NULL, 0, &out) == MLLP_PARTIAL && out.consumed == 0);                \
        CHECK(function(&state, &byte, 0, &out) == MLLP_PARTIAL && out.consumed == 0);               \
        CHECK(out.event.kind == MLLP_EVENT_NONE && out.event.payload.data == NULL);                 \
    } while (0)

/* The same for functions of a state that have one output, or none. */
#define MISUSE_OF_OUTPUT(function, type, out_type, state, other)                                    \
    do {                                                                                            \
        type zeroed, *none = NULL;                                                                  \
        out_type out;                                                                               \
        memset(&zeroed, 0, sizeof zeroed);                                                          \
        REFUSED(MLLP_ERR_NULL, out, function(none, &out));                                          \
        REFUSED(MLLP_ERR_NOT_INITIALISED, out, function(&zeroed, &out));                            \
        REFUSED(MLLP_ERR_NOT_INITIALISED, out, function((type *)(void *)&other, &out));             \
        STATE_KEPT(state, MLLP_ERR_NULL, function(&state, NULL));                                   \
    } while (0)

#define MISUSE_OF_STATE(function, type, other)                                                      \
    do {                                                                                            \
        type zeroed, *none = NULL;                                                                  \
        memset(&zeroed, 0, sizeof zeroed);                                                          \
        CHECK(function(none) == MLLP_ERR_NULL);                                                     \
        STATE_KEPT(zeroed, MLLP_ERR_NOT_INITIALISED, function(&zeroed));                            \
        STATE_KEPT(other, MLLP_ERR_NOT_INITIALISED, function((type *)(void *)&other));              \
    } while (0)

/* One of each, at the beginning of a stream. Large enough to be taken for one another. */
static union any_state {
    mllp_scanner_t scanner;
    mllp_decoder_t decoder;
    mllp_receive_buffer_t buffer;
} a_scanner, a_decoder, a_buffer;
static uint8_t memory[64];

static void prepare(void)
{
    mllp_config_t config = mllp_config_default();
    CHECK(mllp_scanner_init(&a_scanner.scanner, &config) == MLLP_OK);
    CHECK(mllp_decoder_init(&a_decoder.decoder, &config) == MLLP_OK);
    CHECK(mllp_receive_buffer_init(&a_buffer.buffer, &config, memory, sizeof memory) == MLLP_OK);
}

static void misuse_of_settings(void)
{
    mllp_config_t config = mllp_config_default();
    union any_state state;
    CHECK(mllp_scanner_init(NULL, &config) == MLLP_ERR_NULL);
    CHECK(mllp_decoder_init(NULL, &config) == MLLP_ERR_NULL);
    CHECK(mllp_receive_buffer_init(NULL, &config, memory, sizeof memory) == MLLP_ERR_NULL);
    REFUSED(MLLP_ERR_NULL, state, mllp_scanner_init(&state.scanner, NULL));
    REFUSED(MLLP_ERR_NULL, state, mllp_decoder_init(&state.decoder, NULL));
    REFUSED(MLLP_ERR_NULL, state, mllp_receive_buffer_init(&state.buffer, NULL, memory, 8));
    REFUSED(MLLP_ERR_NULL, state, mllp_receive_buffer_init(&state.buffer, &config, NULL, 8));
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, state,
            mllp_receive_buffer_init(&state.buffer, &config, memory, BEYOND));

    for (uint32_t wrong = 3; wrong != 0; wrong <<= 1) {
        config.profile = wrong;
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, state, mllp_scanner_init(&state.scanner, &config));
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, state, mllp_decoder_init(&state.decoder, &config));
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, state,
                mllp_receive_buffer_init(&state.buffer, &config, memory, sizeof memory));
    }
    config = mllp_config_default();
    config.framing.end_block = config.framing.start_block;
    REFUSED(MLLP_ERR_INVALID_FRAMING, state, mllp_scanner_init(&state.scanner, &config));
    REFUSED(MLLP_ERR_INVALID_FRAMING, state, mllp_decoder_init(&state.decoder, &config));
    REFUSED(MLLP_ERR_INVALID_FRAMING, state,
            mllp_receive_buffer_init(&state.buffer, &config, memory, sizeof memory));
}

static void misuse_of_encoding(void)
{
    mllp_framing_t framing = mllp_framing_default(), equal = framing;
    uint8_t out[8];
    size_t len;
    REFUSED(MLLP_ERR_NULL, len, mllp_encode(NULL, 1, out, sizeof out, &len));
    REFUSED(MLLP_ERR_NULL, len, mllp_encode(&byte, 1, NULL, 8, &len));
    CHECK(mllp_encode(&byte, 1, out, sizeof out, NULL) == MLLP_ERR_NULL);
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_encode(&byte, BEYOND, out, sizeof out, &len));
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_encode(&byte, 1, out, SIZE_MAX, &len));
    REFUSED(MLLP_ERR_BUFFER_TOO_SMALL, len, mllp_encode(NULL, 0, NULL, 0, &len));
    CHECK(mllp_encode(NULL, 0, out, sizeof out, &len) == MLLP_OK && len == MLLP_FRAME_OVERHEAD);
    CHECK(mllp_encoded_len(SIZE_MAX) == SIZE_MAX);

    equal.trailer = equal.end_block;
    REFUSED(MLLP_ERR_NULL, len, mllp_framing_encode(NULL, NULL, 0, out, sizeof out, &len));
    REFUSED(MLLP_ERR_INVALID_FRAMING, len,
            mllp_framing_encode(&equal, NULL, 0, out, sizeof out, &len));
    CHECK(mllp_framing_encoded_len(equal, 1) == 0);
    CHECK(mllp_framing_encoded_len(framing, SIZE_MAX) == SIZE_MAX);
    equal.has_trailer = 0;
    CHECK(mllp_framing_encoded_len(equal, 1) == 3);
    CHECK(mllp_framing_encode(&equal, NULL, 0, out, 2, &len) == MLLP_OK && len == 2);
}

static void misuse_of_decoders(void)
{
    MISUSE_OF_BYTES(mllp_scanner_step, mllp_scanner_t, a_decoder);
    MISUSE_OF_BYTES(mllp_decoder_decode, mllp_decoder_t, a_buffer);
    MISUSE_OF_BYTES(mllp_decoder_idle, mllp_decoder_t, a_scanner);
    MISUSE_OF_BYTES(mllp_decoder_finish, mllp_decoder_t, a_scanner);
    MISUSE_OF_BYTES(mllp_receive_buffer_feed, mllp_receive_buffer_t, a_scanner);
    MISUSE_OF_LENGTHS(mllp_scanner_step, a_scanner.scanner);
    MISUSE_OF_LENGTHS(mllp_decoder_decode, a_decoder.decoder);
    MISUSE_OF_LENGTHS(mllp_decoder_idle, a_decoder.decoder);
    MISUSE_OF_LENGTHS(mllp_decoder_finish, a_decoder.decoder);
    MISUSE_OF_LENGTHS(mllp_receive_buffer_feed, a_buffer.buffer);

    MISUSE_OF_OUTPUT(mllp_scanner_idle, mllp_scanner_t, mllp_event_t, a_scanner.scanner, a_buffer);
    MISUSE_OF_OUTPUT(mllp_scanner_finish, mllp_scanner_t, mllp_event_t, a_scanner.scanner, a_buffer);
    MISUSE_OF_OUTPUT(mllp_scanner_counters, mllp_scanner_t, mllp_counters_t, a_scanner.scanner,
                     a_decoder);
    MISUSE_OF_OUTPUT(mllp_decoder_counters, mllp_decoder_t, mllp_counters_t, a_decoder.decoder,
                     a_scanner);
    MISUSE_OF_OUTPUT(mllp_decoder_buffer_len, mllp_decoder_t, size_t, a_decoder.decoder, a_scanner);
    MISUSE_OF_OUTPUT(mllp_receive_buffer_next_event, mllp_receive_buffer_t, mllp_event_t,
                     a_buffer.buffer, a_scanner);
    MISUSE_OF_OUTPUT(mllp_receive_buffer_idle, mllp_receive_buffer_t, mllp_event_t,
                     a_buffer.buffer, a_decoder);
    MISUSE_OF_OUTPUT(mllp_receive_buffer_finish, mllp_receive_buffer_t, mllp_event_t,
                     a_buffer.buffer, a_decoder);
    MISUSE_OF_OUTPUT(mllp_receive_buffer_counters, mllp_receive_buffer_t, mllp_counters_t,
                     a_buffer.buffer, a_decoder);

    MISUSE_OF_STATE(mllp_scanner_reset, mllp_scanner_t, a_decoder);
    MISUSE_OF_STATE(mllp_decoder_reset, mllp_decoder_t, a_buffer);
    MISUSE_OF_STATE(mllp_receive_buffer_reset, mllp_receive_buffer_t, a_scanner);
}

/* A receive buffer in memory of every length, told to commit more than there is room. */
static void misuse_of_memory(void)
{
    static const uint8_t frame[] = {0x0B, 'A', 'B', 0x1C, 0x0D};
    mllp_config_t config = mllp_config_default();
    mllp_receive_buffer_t buffer, zeroed;
    struct block room = {0};
    mllp_room_t spare;
    mllp_event_t event;
    memset(&zeroed, 0, sizeof zeroed);
    REFUSED(MLLP_ERR_NULL, spare, mllp_receive_buffer_spare(NULL, 1, &spare));
    REFUSED(MLLP_ERR_NOT_INITIALISED, spare, mllp_receive_buffer_spare(&zeroed, 1, &spare));
    CHECK(mllp_receive_buffer_commit(NULL, 1) == MLLP_ERR_NULL);
    CHECK(mllp_receive_buffer_commit(&zeroed, 1) == MLLP_ERR_NOT_INITIALISED);
    for (size_t len = 0; len < 9; len++) {
        mllp_decoded_t decoded;
        uint64_t frames = 0;
        subject.numbers[0] = len;
        block_make(&room, len);
        if (len > 0)
            memset(room.data, 0, len);
        CHECK(mllp_receive_buffer_init(&buffer, &config, len ? room.data : NULL, len) == MLLP_OK);
        CHECK(mllp_receive_buffer_spare(&buffer, 0, &spare) == MLLP_OK && spare.len <= len);
        CHECK(mllp_receive_buffer_spare(&buffer, SIZE_MAX, &spare) == MLLP_OK && spare.len <= len);
        STATE_KEPT(buffer, MLLP_ERR_NULL, mllp_receive_buffer_spare(&buffer, 1, NULL));
        CHECK(mllp_receive_buffer_commit(&buffer, SIZE_MAX) == MLLP_OK);
        for (size_t i = 0; i < 2 * len + 2; i++)
            if (mllp_receive_buffer_next_event(&buffer, &event) == MLLP_PARTIAL)
                break;
        CHECK(event.kind == MLLP_EVENT_NONE);
        CHECK(mllp_receive_buffer_reset(&buffer) == MLLP_OK);
        for (size_t i = 0; i < sizeof frame; i++)
            while (mllp_receive_buffer_feed(&buffer, &frame[i], 1, &decoded) == MLLP_OK) {
                frames += decoded.event.kind == MLLP_EVENT_FRAME;
                if (decoded.consumed == 1)
                    break;
            }
        CHECK(frames == (len >= sizeof frame)); /* three bytes less than the memory */
    }
    block_free(&room);
}

void test_misuse(void)
{
    memset(&subject, 0, sizeof subject);
    subject.name = "misuse";
    prepare();
    misuse_of_settings();
    misuse_of_encoding();
    misuse_of_decoders();
    misuse_of_memory();
    CHECK(strcmp(mllp_status_name(4711), "unknown") == 0);
    CHECK(strcmp(mllp_fault_name(0), "unknown") == 0);
    CHECK(strcmp(mllp_frame_kind_name(UINT32_MAX), "unknown") == 0);
    CHECK(strcmp(mllp_deviation_name(3), "unknown") == 0); /* a set of two */
    CHECK(strcmp(mllp_discard_reason_name(0), "unknown") == 0);
    CHECK(strcmp(mllp_version(), "") != 0);
}
