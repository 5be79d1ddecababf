/* What no correct program does: each is answered with a status, and changes nothing.
 *
 * misuse.py writes the calls of every function with one argument wrong; here is what is wrong inside
 * of an argument. */
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

#define BEYOND ((size_t)PTRDIFF_MAX + 1)

/* One of each type, fit for use. */
static struct {
    mllp_framing_t framing;
    mllp_config_t config;
    mllp_scanner_t scanner;
    mllp_decoder_t decoder;
    mllp_receive_buffer_t receive_buffer;
    mllp_delimiters_t delimiters;
    mllp_message_header_t message_header;
    mllp_message_t message;
    mllp_path_t path;
    mllp_part_t part;
    mllp_slice_t slice;
    mllp_ack_t ack;
    mllp_request_t request;
    mllp_receipt_t receipt;
    mllp_accept_lists_t accept_lists;
    mllp_sequence_receiver_t sequence_receiver;
    mllp_detector_t detector;
    mllp_responder_config_t responder_config;
    mllp_responder_t responder;
    mllp_ticket_t ticket;
    mllp_refusal_t refusal;
    mllp_initiator_config_t initiator_config;
    mllp_initiator_t initiator;
    mllp_rules_t rules;
} the, before;

/* Large enough to be taken for any state: of none, of two other types. */
static uint64_t zeroed[1024], another[1024], a_third[1024];
static uint8_t the_bytes[2048], incoming[2048], answers[4096], memory[64];
static const char text[] = "MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|M1|P|2.5\rPID|1||10^A&B~11\r";

#define OK(call) CHECK((call) == MLLP_OK)

static void prepare(void)
{
    const uint8_t *payload = (const uint8_t *)text;
    const size_t len = sizeof text - 1;
    memset(&the, 0, sizeof the);
    memset(the_bytes, ' ', sizeof the_bytes);
    the.framing = mllp_framing_default();
    the.config = mllp_config_default();
    the.delimiters = mllp_delimiters_default();
    the.responder_config = mllp_responder_config_default();
    the.initiator_config = mllp_initiator_config_default();
    OK(mllp_scanner_init(&the.scanner, &the.config));
    OK(mllp_decoder_init(&the.decoder, &the.config));
    OK(mllp_receive_buffer_init(&the.receive_buffer, &the.config, memory, sizeof memory));
    OK(mllp_message_header_parse_lenient(payload, len, &the.message_header));
    OK(mllp_message_parse(payload, len, &the.message));
    OK(mllp_path_parse((const uint8_t *)"PID-3", 5, &the.path));
    OK(mllp_message_segments(&the.message, &the.part));
    OK(mllp_request_of(&the.message_header, MLLP_INBOUND_MESSAGE, &the.request));
    the.receipt.kind = MLLP_MESSAGE_SINGLE;
    the.ack = mllp_ack_always(MLLP_ACK_AA, &the.message_header, payload, 3, payload, 3);
    OK(mllp_detector_init(&the.detector));
    OK(mllp_responder_init(&the.responder, &the.responder_config, incoming, sizeof incoming,
                           answers, sizeof answers, 0));
    OK(mllp_initiator_init(&the.initiator, &the.initiator_config, incoming, sizeof incoming));
    OK(mllp_rules_init(&the.rules));
    memcpy(another, &the.scanner, sizeof the.scanner);
    memcpy(a_third, &the.decoder, sizeof the.decoder);
    before = the;
}

/* A call that is refused and leaves everything as it was. */
#define KEPT(expected, call)                                                                        \
    do {                                                                                            \
        CHECK((call) == (expected));                                                                \
        CHECK(same_bytes(&the, &before, sizeof the));                                               \
    } while (0)

#include "misuse.calls.h"

/* A number that is no constant, inside of settings and the like. */
static void wrong_numbers(void)
{
    mllp_scanner_t scanner;
    mllp_responder_t responder;
    mllp_initiator_t initiator;
    mllp_decision_t decision;
    mllp_header_errors_t errors;
    mllp_error_detail_t detail = {4711, 0, {{NULL, 0}, 0, 0, 0, 0, 0}, {{NULL, 0}}, {NULL, 0},
                                  {NULL, 0}};
    size_t len;
    subject.part = "a number inside of an argument";
    prepare();
    for (uint32_t wrong = 5; wrong != 0; wrong <<= 1) {
        the.config.profile = wrong;
        REFUSED(MLLP_ERR_INVALID_ARGUMENT, scanner, mllp_scanner_init(&scanner, &the.config));
#define REFUSED_AS(member, what, out, call)                                                         \
    the.member = what;                                                                              \
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, out, call);                                                  \
    the.member = before.member
#define RESPONDERS(member)                                                                          \
    REFUSED_AS(responder_config.member, wrong, responder,                                           \
               mllp_responder_init(&responder, &the.responder_config, incoming, sizeof incoming,    \
                                   answers, sizeof answers, 0));                                    \
    REFUSED_AS(responder_config.member, wrong, responder,                                           \
               mllp_responder_init_stream(&responder, &the.responder_config, answers,               \
                                          sizeof answers, 0))
        RESPONDERS(policy);
        RESPONDERS(over_limit);
        RESPONDERS(decoder.profile);
        REFUSED_AS(initiator_config.scan, wrong, initiator,
                   mllp_initiator_init(&initiator, &the.initiator_config, incoming, 9));
        REFUSED_AS(ack.policy, wrong, len, mllp_ack_encoded_len(&the.ack, &len));
        REFUSED_AS(ack.scan, wrong, len, mllp_ack_encoded_len(&the.ack, &len));
        REFUSED_AS(ack.code, wrong * 2, len, mllp_ack_encoded_len(&the.ack, &len));
        REFUSED_AS(request.accept, wrong, decision,
                   mllp_request_decide(&the.request, 1, 1, &decision));
        REFUSED_AS(request.application, wrong, decision,
                   mllp_request_refuse(&the.request, 1, &decision));
        REFUSED_AS(request.inbound, wrong, decision,
                   mllp_request_decide(&the.request, 1, 1, &decision));
        REFUSED_AS(receipt.kind, wrong, errors,
                   mllp_message_header_check(&the.message_header, the.receipt, &the.accept_lists,
                                             &errors));
    }
    the.ack.code = MLLP_ACK_NONE;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));
    the.ack.code = MLLP_ACK_AE;
    the.ack.errors = &detail;
    the.ack.error_count = 1;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));
    detail.code = 100;
    detail.severity = 4;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));
}

/* Bytes that are NULL or too long, inside of an argument. */
static void wrong_slices(void)
{
    static const mllp_slice_t null = {NULL, 1}, beyond = {(const uint8_t *)text, BEYOND};
    static mllp_error_detail_t details[MLLP_MAX_ERRORS + 1];
    mllp_header_errors_t errors;
    size_t len;
    subject.part = "bytes inside of an argument";
    prepare();
    for (size_t i = 0; i < MLLP_MAX_ERRORS + 1; i++)
        details[i].code = 100;
#define WRONG_SLICE(member)                                                                         \
    the.ack.member = null;                                                                          \
    REFUSED(MLLP_ERR_NULL, len, mllp_ack_encoded_len(&the.ack, &len));                              \
    the.ack.member = beyond;                                                                        \
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));                  \
    the.ack = before.ack
    WRONG_SLICE(control_id);
    WRONG_SLICE(timestamp);
    WRONG_SLICE(text);
    WRONG_SLICE(sending_application);
    WRONG_SLICE(sending_facility);
    WRONG_SLICE(accept_acknowledgment_type);
    WRONG_SLICE(application_acknowledgment_type);
    the.ack.errors = details;
    the.ack.error_count = MLLP_MAX_ERRORS;
    OK(mllp_ack_encoded_len(&the.ack, &len));
    the.ack.error_count++;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));
    the.ack.error_count = SIZE_MAX / 2;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, len, mllp_ack_encoded_len(&the.ack, &len));
    the.ack.errors = NULL;
    the.ack.error_count = 1;
    REFUSED(MLLP_ERR_NULL, len, mllp_ack_encoded_len(&the.ack, &len));
    the.ack = before.ack;
    the.ack.header = (const mllp_message_header_t *)(void *)zeroed;
    REFUSED(MLLP_ERR_NOT_INITIALISED, len, mllp_ack_encoded_len(&the.ack, &len));
    the.ack.policy = MLLP_POLICY_CONFORMANT;
    the.ack.header = NULL;
    REFUSED(MLLP_ERR_NO_HEADER, len, mllp_ack_encoded_len(&the.ack, &len));

    the.accept_lists.versions = NULL;
    the.accept_lists.version_count = 1;
    REFUSED(MLLP_ERR_NULL, errors,
            mllp_message_header_check(&the.message_header, the.receipt, &the.accept_lists,
                                      &errors));
    the.accept_lists.versions = &null;
    REFUSED(MLLP_ERR_NULL, errors,
            mllp_message_header_check(&the.message_header, the.receipt, &the.accept_lists,
                                      &errors));
    the.accept_lists.version_count = SIZE_MAX;
    REFUSED(MLLP_ERR_INVALID_ARGUMENT, errors,
            mllp_message_header_check(&the.message_header, the.receipt, &the.accept_lists,
                                      &errors));
    CHECK(mllp_value_of(null).kind <= MLLP_VALUE_VALUE);
    CHECK(mllp_value_of(beyond).kind <= MLLP_VALUE_VALUE);
    CHECK(mllp_inbound_from_msa(null) <= MLLP_INBOUND_APPLICATION_ACK);
    CHECK(mllp_inbound_from_msa(beyond) <= MLLP_INBOUND_APPLICATION_ACK);
}

static void wrong_framing(void)
{
    static const uint8_t byte = 'A';
    mllp_framing_t framing = mllp_framing_default(), equal = framing;
    mllp_config_t config = mllp_config_default();
    mllp_decoder_t decoder;
    uint8_t out[8];
    size_t len;
    subject.part = "framing";
    equal.trailer = equal.end_block;
    config.framing = equal;
    REFUSED(MLLP_ERR_INVALID_FRAMING, decoder, mllp_decoder_init(&decoder, &config));
    REFUSED(MLLP_ERR_INVALID_FRAMING, len, mllp_framing_encode(&equal, NULL, 0, out, 8, &len));
    REFUSED(MLLP_ERR_BUFFER_TOO_SMALL, len, mllp_encode(NULL, 0, NULL, 0, &len));
    CHECK(mllp_encode(NULL, 0, out, sizeof out, &len) == MLLP_OK && len == MLLP_FRAME_OVERHEAD);
    CHECK(mllp_encoded_len(SIZE_MAX) == SIZE_MAX);
    CHECK(mllp_framing_encoded_len(equal, 1) == 0);
    CHECK(mllp_framing_encoded_len(framing, SIZE_MAX) == SIZE_MAX);
    equal.has_trailer = 0;
    CHECK(mllp_framing_encoded_len(equal, 1) == 3);
    CHECK(mllp_framing_encode(&equal, &byte, 1, out, 3, &len) == MLLP_OK && len == 3);
}

/* NULL with length 0 is no bytes, and so is a pointer to a place where there are none. */
static void no_bytes(void)
{
    struct block none = {0};
    mllp_decoded_t out;
    mllp_detection_t detection;
    mllp_proxy_header_t proxy_header;
    mllp_responder_t streaming;
    mllp_responder_event_t event;
    size_t consumed;
    subject.part = "no bytes";
    prepare();
    OK(mllp_responder_init_stream(&streaming, &the.responder_config, answers, sizeof answers, 0));
    block_make(&none, 0);
    for (int round = 0; round < 2; round++) {
        const uint8_t *at = round == 0 ? NULL : none.data;
        CHECK(mllp_scanner_step(&the.scanner, at, 0, &out) == MLLP_PARTIAL);
        CHECK(out.consumed == 0 && out.event.kind == MLLP_EVENT_NONE);
        CHECK(mllp_decoder_decode(&the.decoder, at, 0, &out) == MLLP_PARTIAL);
        CHECK(mllp_receive_buffer_feed(&the.receive_buffer, at, 0, &out) == MLLP_PARTIAL);
        CHECK(mllp_detect(at, 0, &detection) == MLLP_PARTIAL);
        CHECK(mllp_detector_feed(&the.detector, at, 0, &detection) == MLLP_PARTIAL);
        CHECK(mllp_proxy_header_parse(at, 0, &proxy_header) == MLLP_PARTIAL);
        CHECK(mllp_responder_step(&streaming, at, 0, 0, &consumed, &event) == MLLP_PARTIAL);
        CHECK(consumed == 0 && event.kind == MLLP_LINK_NONE);
        CHECK(mllp_message_parse(at, 0, &the.message) == MLLP_ERR_NO_HEADER);
        CHECK(mllp_message_header_parse_lenient(at, 0, &the.message_header) == MLLP_NOT_FOUND);
        CHECK(mllp_path_parse(at, 0, &the.path) == MLLP_ERR_BAD_PATH);
        CHECK(mllp_condition_from_field(at, 0) == MLLP_CONDITION_UNVALUED);
        CHECK(mllp_character_set_from_name(at, 0) == MLLP_CHARACTER_SET_ASCII);
        CHECK(mllp_ack_code_from_bytes(at, 0) == MLLP_ACK_NONE);
        CHECK(mllp_escaped_len(at, 0, &the.delimiters) == 0);
        CHECK(mllp_rules_parse(&the.rules, at, 0) == MLLP_OK);
        CHECK(mllp_rules_error_at(at, 0) == 0);
    }
    block_free(&none);
}

/* A receive buffer in memory of every length, told to commit more than there is room. */
static void small_memory(void)
{
    static const uint8_t frame[] = {0x0B, 'A', 'B', 0x1C, 0x0D};
    mllp_config_t config = mllp_config_default();
    mllp_receive_buffer_t buffer;
    struct block room = {0};
    mllp_room_t spare;
    mllp_event_t event;
    subject.part = "memory";
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
        CHECK(mllp_receive_buffer_commit(&buffer, SIZE_MAX) == MLLP_ERR_INVALID_ARGUMENT);
        CHECK(mllp_receive_buffer_commit(&buffer, spare.len) == MLLP_OK);
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
    misuse_of_every_function();
    wrong_numbers();
    wrong_slices();
    wrong_framing();
    no_bytes();
    small_memory();
    CHECK(strcmp(mllp_status_name(4711), "unknown") == 0);
    CHECK(strcmp(mllp_deviation_name(3), "unknown") == 0); /* a set of two */
    CHECK(strcmp(mllp_version(), "") != 0);
}
