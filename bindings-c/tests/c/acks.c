/* vectors/ack.json, ack_always.json and tables.json: which acknowledgment, and its bytes. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "slices.h"
#include "tests.h"

struct errors {
    const mllp_error_detail_t *each;
    size_t count;
};

struct ack_vector {
    const char *id;
    mllp_policy_t policy;
    mllp_slice_t inbound, now, control_id, ack;
    mllp_ack_code_t code;
    mllp_slice_t text;
    struct errors errors;
    uint32_t has_sequence_number;
    int64_t sequence_number;
    struct maybe application, facility;
    mllp_slice_t accept_type, application_type;
    mllp_slice_t structure;
    struct maybe character_set;
    mllp_slice_t profile;
};

struct decision_vector {
    mllp_slice_t msh_15, msh_16;
    struct maybe msa_1;
    mllp_outcome_t outcome;
    mllp_mode_t mode;
    mllp_ack_code_t accept, application;
};

struct check_vector {
    const char *id;
    mllp_slice_t inbound;
    struct errors errors;
    mllp_mode_t mode;
    mllp_ack_code_t accept, application;
};

struct sequence_vector {
    mllp_sequence_receiver_t before;
    mllp_slice_t msh_13;
    mllp_sequence_answer_t answer;
    mllp_sequence_receiver_t after;
};

struct error_code_vector {
    mllp_error_code_t code;
    const char *text;
    mllp_outcome_t outcome;
};

#include "acks.vectors.h"

typedef mllp_status_t encode(const mllp_ack_t *, uint8_t *, size_t, size_t *);

static mllp_status_t encode_framed(const mllp_ack_t *ack, uint8_t *out, size_t capacity,
                                   size_t *len)
{
    mllp_framing_t framing = {0x0B, 0x1C, 0x0D, 1};
    return mllp_framing_encode_ack(&framing, ack, out, capacity, len);
}

/* Into room of every length: `before` and `after` stand around the acknowledgment. */
static void check_encode(encode *encode, const mllp_ack_t *ack, mllp_slice_t expect,
                         const char *before, const char *after)
{
    size_t ahead = strlen(before), behind = strlen(after), need = ahead + expect.len + behind, len;
    struct block out = {0};
    for (size_t capacity = 0; capacity <= need; capacity++) {
        mllp_status_t status;
        subject.numbers[0] = capacity;
        block_make(&out, capacity);
        mark_untouched(&len, sizeof len);
        status = encode(ack, out.data, capacity, &len);
        CHECK(status == (capacity < need ? MLLP_ERR_BUFFER_TOO_SMALL : MLLP_OK));
        CHECK(status == MLLP_OK || is_untouched(&len, sizeof len));
    }
    CHECK(len == need);
    CHECK(memcmp(out.data, before, ahead) == 0);
    CHECK(memcmp(out.data + ahead, expect.data, expect.len) == 0);
    CHECK(memcmp(out.data + ahead + expect.len, after, behind) == 0);
    block_free(&out);
}

static void build(const struct ack_vector *vector)
{
    struct block inbound = {0};
    mllp_message_header_t header;
    const mllp_message_header_t *found;
    mllp_ack_t ack;
    size_t len;
    block_copy(&inbound, vector->inbound.data, vector->inbound.len);
    found = mllp_message_header_parse_lenient(inbound.data, inbound.len, &header) == MLLP_OK
                ? &header
                : NULL;
    ack = (vector->policy == MLLP_POLICY_ALWAYS ? mllp_ack_always : mllp_ack_conformant)(
        vector->code, found, vector->control_id.data, vector->control_id.len, vector->now.data,
        vector->now.len);
    CHECK(ack.policy == vector->policy && ack.code == vector->code);
    ack.text = vector->text;
    ack.errors = vector->errors.each;
    ack.error_count = vector->errors.count;
    ack.has_expected_sequence_number = vector->has_sequence_number;
    ack.expected_sequence_number = vector->sequence_number;
    if (vector->application.there)
        ack.sending_application = vector->application.bytes;
    if (vector->facility.there)
        ack.sending_facility = vector->facility.bytes;
    ack.accept_acknowledgment_type = vector->accept_type;
    ack.application_acknowledgment_type = vector->application_type;
    ack.message_structure = vector->structure;
    if (vector->character_set.there) {
        ack.character_set = vector->character_set.bytes;
        if (ack.character_set.data == NULL)
            ack.character_set.data = (const uint8_t *)"";
    }
    ack.message_profile_identifier = vector->profile;
    CHECK(mllp_ack_encoded_len(&ack, &len) == MLLP_OK && len == vector->ack.len);
    check_encode(mllp_ack_encode, &ack, vector->ack, "", "");
    check_encode(mllp_encode_ack, &ack, vector->ack, "\x0B", "\x1C\r");
    check_encode(encode_framed, &ack, vector->ack, "\x0B", "\x1C\r");
    block_free(&inbound);
}

static void check_decision(mllp_status_t status, const mllp_decision_t *decision, mllp_mode_t mode,
                           mllp_ack_code_t accept, mllp_ack_code_t application)
{
    CHECK(status == MLLP_OK);
    CHECK(decision->mode == mode);
    CHECK(decision->accept == accept && decision->application == application);
}

static void decide(const struct decision_vector *vector)
{
    mllp_request_t request;
    mllp_decision_t decision;
    mllp_ack_code_t reply, one;
    mllp_outcome_t outcome = vector->outcome;
    mllp_slice_t msa_1 = vector->msa_1.bytes;
    if (vector->msa_1.there && msa_1.data == NULL)
        msa_1.data = (const uint8_t *)""; /* there, and empty */
    request.accept = mllp_condition_from_field(vector->msh_15.data, vector->msh_15.len);
    request.application = mllp_condition_from_field(vector->msh_16.data, vector->msh_16.len);
    request.inbound = mllp_inbound_from_msa(msa_1);
    CHECK(mllp_request_mode(&request) == vector->mode);
    check_decision(mllp_request_decide(&request, outcome, outcome, &decision), &decision,
                   vector->mode, vector->accept, vector->application);

    one = vector->accept != MLLP_ACK_NONE ? vector->accept
                                          : mllp_ack_code_new(MLLP_PHASE_APPLICATION, outcome);
    if (request.inbound != MLLP_INBOUND_MESSAGE)
        one = MLLP_ACK_NONE;
    CHECK(mllp_request_always_one_reply(&request, outcome, outcome, &reply) ==
          (one == MLLP_ACK_NONE ? MLLP_NOT_FOUND : MLLP_OK));
    CHECK(reply == one);
}

static void check_headers(const struct check_vector *vector)
{
    static const mllp_accept_lists_t lists = {
        accepted_types,      COUNT(accepted_types),      accepted_versions,
        COUNT(accepted_versions), accepted_processing, COUNT(accepted_processing),
    };
    static const mllp_receipt_t whole = {MLLP_MESSAGE_SINGLE, 0};
    mllp_message_header_t header;
    mllp_header_errors_t found;
    mllp_request_t request;
    mllp_decision_t decision;
    mllp_status_t status;
    CHECK(mllp_message_header_parse_lenient(vector->inbound.data, vector->inbound.len, &header) ==
          MLLP_OK);
    CHECK(mllp_message_header_check(&header, whole, &lists, &found) == MLLP_OK);
    CHECK(found.count == vector->errors.count);
    for (size_t i = 0; i < found.count && i < vector->errors.count; i++) {
        const mllp_error_detail_t *error = &found.errors[i], *expect = &vector->errors.each[i];
        CHECK(error->code == expect->code && error->severity == expect->severity);
        CHECK(slice_equal(error->location.segment, expect->location.segment));
        CHECK(error->location.occurrence == expect->location.occurrence);
        CHECK(error->location.field == expect->location.field);
        CHECK(error->location.repetition == expect->location.repetition);
        CHECK(error->location.component == expect->location.component);
        CHECK(error->location.subcomponent == expect->location.subcomponent);
    }
    CHECK(mllp_request_of(&header, MLLP_INBOUND_MESSAGE, &request) == MLLP_OK);
    status = found.outcome == MLLP_OUTCOME_ACCEPT
                 ? mllp_request_decide(&request, MLLP_OUTCOME_ACCEPT, MLLP_OUTCOME_ACCEPT,
                                       &decision)
                 : mllp_request_refuse(&request, found.outcome, &decision);
    check_decision(status, &decision, vector->mode, vector->accept, vector->application);
}

static void sequence(const struct sequence_vector *vector)
{
    mllp_sequence_receiver_t receiver = vector->before;
    mllp_sequence_answer_t answer;
    CHECK(mllp_sequence_receiver_receive(&receiver, vector->msh_13.data, vector->msh_13.len,
                                         &answer) == MLLP_OK);
    CHECK(answer.fits == vector->answer.fits);
    CHECK(answer.expected_sequence_number == vector->answer.expected_sequence_number);
    CHECK(receiver.has_expected == vector->after.has_expected);
    CHECK(receiver.expected == vector->after.expected);
}

static void after_refusal(int64_t sent, const char *expected, mllp_sequence_action_kind_t kind,
                          int64_t restart_from)
{
    mllp_sequence_action_t action;
    CHECK(mllp_sequence_action_after_refusal(sent, (const uint8_t *)expected, strlen(expected),
                                             &action) == MLLP_OK);
    CHECK(action.kind == kind && action.restart_from == restart_from);
}

static void codes(void)
{
    for (size_t i = 0; i < COUNT(error_code_vectors); i++) {
        const struct error_code_vector *vector = &error_code_vectors[i];
        CHECK(strcmp(mllp_error_code_text(vector->code), vector->text) == 0);
        CHECK(mllp_error_code_outcome(vector->code) == vector->outcome);
    }
    for (mllp_ack_code_t code = MLLP_ACK_AA; code <= MLLP_ACK_CR; code++) {
        const char *name = mllp_ack_code_name(code);
        mllp_outcome_t outcome = mllp_ack_code_outcome(code);
        CHECK(mllp_ack_code_from_bytes((const uint8_t *)name, 2) == code);
        CHECK(mllp_ack_code_new(mllp_ack_code_phase(code), outcome) == code);
        CHECK(!!mllp_ack_code_is_accept(code) == (outcome == MLLP_OUTCOME_ACCEPT));
    }
    CHECK(mllp_ack_code_from_bytes((const uint8_t *)"aa", 2) == MLLP_ACK_NONE);
}

static void timestamps(void)
{
    mllp_timestamp_t utc = mllp_timestamp_utc(1767323045);
    mllp_timestamp_t local = mllp_timestamp_with_offset(1767323045, -90);
    CHECK(utc.len == 14 && memcmp(utc.text, "20260102030405", 14) == 0);
    CHECK(local.len == 19 && memcmp(local.text, "20260102013405-0130", 19) == 0);
    CHECK(mllp_timestamp_utc(INT64_MIN).len == 14 && mllp_timestamp_utc(INT64_MAX).len == 14);
    CHECK(mllp_timestamp_with_offset(INT64_MAX, INT16_MIN).len == 19);
}

/* The policy `conformant`: the one answer that goes back. */
static void conformant(void)
{
    static const struct {
        const char *message;
        mllp_ack_code_t said, code, due;
        mllp_error_code_t error;
    } rows[] = {
#define ASKING(id, fields) "MSH|^~\\&|S|SF|R|RF|2026||ADT^A01|" id "|P|2.5|||" fields "\r"
        {ASKING("A", "|"), MLLP_ACK_AA, MLLP_ACK_AA, MLLP_ACK_NONE, 0},
        {ASKING("A", "AL|AL"), MLLP_ACK_AA, MLLP_ACK_CA, MLLP_ACK_AA, 0},
        {ASKING("A", "AL|AL"), MLLP_ACK_CA, MLLP_ACK_CA, MLLP_ACK_NONE, 0},
        {ASKING("A", "AL|AL"), MLLP_ACK_AE, MLLP_ACK_CE, MLLP_ACK_NONE, 0},
        {ASKING("A", "NE|AL"), MLLP_ACK_CR, MLLP_ACK_AR, MLLP_ACK_NONE, 0},
        {ASKING("A", "NE|NE"), MLLP_ACK_AA, MLLP_ACK_NONE, MLLP_ACK_NONE, 0},
        {ASKING("A", "|") "MSA|AA|1\r", MLLP_ACK_AA, MLLP_ACK_NONE, MLLP_ACK_NONE, 0},
        {ASKING("", "AL|AL"), MLLP_ACK_AA, MLLP_ACK_CR, MLLP_ACK_NONE, 101},
        {ASKING("", "|"), MLLP_ACK_AE, MLLP_ACK_AE, MLLP_ACK_NONE, 0},
        {"BHS|^~\\&|S\r" ASKING("A", "|"), MLLP_ACK_AA, MLLP_ACK_AR, MLLP_ACK_NONE, 200},
        {ASKING("A", "|") "PID|\x0B\r", MLLP_ACK_CA, MLLP_ACK_AR, MLLP_ACK_NONE, 207},
    };
    struct block payload = {0};
    subject.name = "conformant";
    for (size_t i = 0; i < COUNT(rows); i++) {
        mllp_conformant_answer_t answer;
        subject.numbers[0] = i;
        block_copy(&payload, (const uint8_t *)rows[i].message, strlen(rows[i].message));
        CHECK(mllp_conformant_answer(payload.data, payload.len, MLLP_SCAN_SINGLE_BYTE,
                                     rows[i].said, &answer) == MLLP_OK);
        CHECK(answer.code == rows[i].code && answer.due == rows[i].due);
        CHECK(answer.errors.count == (rows[i].error != 0));
        if (answer.errors.count > 0)
            CHECK(answer.errors.errors[0].code == rows[i].error);
        CHECK(answer.errors.outcome == mllp_error_code_outcome(rows[i].error));
    }
    /* A letter in Shift_JIS: by the bytes alone AL would be in MSH-16. */
    static const char letter[] =
        "MSH|^~\\&|\x83||SF|R|RF|2026||ADT^A01|A|P|2.5|||AL|NE\r";
    mllp_conformant_answer_t answer;
    subject.name = "conformant: the scan";
    block_copy(&payload, (const uint8_t *)letter, sizeof letter - 1);
    CHECK(mllp_conformant_answer(payload.data, payload.len, MLLP_SCAN_SHIFT_JIS, MLLP_ACK_AA,
                                 &answer) == MLLP_OK);
    CHECK(answer.code == MLLP_ACK_CA);
    block_free(&payload);
}

void test_acks(void)
{
    memset(&subject, 0, sizeof subject);
    for (size_t i = 0; i < COUNT(ack_vectors); i++) {
        subject.name = ack_vectors[i].id;
        build(&ack_vectors[i]);
    }
    subject.name = "decision";
    for (size_t i = 0; i < COUNT(decision_vectors); i++) {
        subject.numbers[0] = i;
        decide(&decision_vectors[i]);
    }
    for (size_t i = 0; i < COUNT(check_vectors); i++) {
        subject.name = check_vectors[i].id;
        check_headers(&check_vectors[i]);
    }
    conformant();
    subject.name = "sequence";
    for (size_t i = 0; i < COUNT(sequence_vectors); i++) {
        subject.numbers[0] = i;
        sequence(&sequence_vectors[i]);
    }
    after_refusal(7, "8", MLLP_SEQUENCE_CONTINUE, 0);
    after_refusal(7, "5", MLLP_SEQUENCE_RESTART_FROM, 5);
    after_refusal(7, "what", MLLP_SEQUENCE_FREEZE, 0);
    codes();
    timestamps();
    printf("acks: %zu acknowledgments, %zu decisions\n", COUNT(ack_vectors),
           COUNT(decision_vectors));
}
