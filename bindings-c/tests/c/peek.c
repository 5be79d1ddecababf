/* vectors/hl7_peek.json and charsets.json: headers, paths, values, escapes, character sets. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "slices.h"
#include "tests.h"
#include "walk.h"

enum { FIELDS = 21 };

struct query {
    const char *path;
    struct maybe raw, leaf, text;
    mllp_value_kind_t raw_kind, leaf_kind;
    int atomic;
};

struct message_vector {
    const char *id;
    mllp_slice_t payload;
    mllp_delimiters_t delimiters;
    mllp_terminator_t terminator;
    mllp_message_kind_t kind;
    struct {
        const mllp_slice_t *ids;
        size_t count;
    } segments;
    struct {
        const struct query *each;
        size_t count;
    } queries;
};

struct error_vector {
    const char *id;
    mllp_slice_t payload;
    mllp_slice_t path;
    const char *error;
};

struct escape_vector {
    mllp_slice_t header, text, escaped;
};

struct multi_byte_vector {
    const char *set;
    mllp_slice_t payload, path;
    mllp_scan_t scan;
    int told;
    mllp_slice_t naive;
    struct maybe naive_second;
    mllp_slice_t aware, aware_second;
};

struct character_set_vector {
    mllp_slice_t field;
    const char *name;
    uint32_t delimiter_safe, allowed_in_mllp;
};

#include "peek.vectors.h"

static int same_delimiters(mllp_delimiters_t one, mllp_delimiters_t other)
{
    return memcmp(&one, &other, sizeof one) == 0; /* bytes, without padding */
}

static mllp_path_t path_of(const char *text)
{
    mllp_path_t path;
    CHECK(mllp_path_parse((const uint8_t *)text, strlen(text), &path) == MLLP_OK);
    return path;
}

/* What a lookup gave is what the vector says. */
static void check_found(mllp_status_t status, mllp_slice_t found, const struct maybe *expect)
{
    CHECK(status == (expect->there ? MLLP_OK : MLLP_NOT_FOUND));
    if (status == MLLP_OK)
        CHECK(slice_equal(found, expect->bytes));
}

static void check_query(const mllp_message_t *message, const struct query *query)
{
    static const mllp_slice_t absent;
    mllp_delimiters_t delimiters = mllp_message_delimiters(message);
    mllp_path_t path = path_of(query->path);
    mllp_slice_t found = {NULL, 0};
    mllp_value_t value;
    mllp_status_t status = mllp_message_get(message, &path, &found);
    subject.part = query->path;
    check_found(status, found, &query->raw);
    CHECK(mllp_value_of(status == MLLP_OK ? found : absent).kind == query->raw_kind);
    check_found(mllp_message_leaf(message, &path, &found), found, &query->leaf);
    status = mllp_message_value(message, &path, &value);
    CHECK(status == MLLP_OK || status == MLLP_NOT_FOUND);
    if (strlen(query->path) == 3) { /* a segment is no single value */
        CHECK(value.kind == MLLP_VALUE_ABSENT);
        return;
    }
    CHECK(value.kind == query->leaf_kind);
    CHECK((value.kind == MLLP_VALUE_VALUE) == query->text.there);
    if (value.kind != MLLP_VALUE_VALUE)
        return;
    if (query->atomic) {
        CHECK(slice_equal(value.bytes, query->text.bytes));
        return;
    }
    struct block out = {0};
    for (size_t capacity = 0; capacity <= value.bytes.len; capacity++) {
        size_t len;
        block_make(&out, capacity);
        status = mllp_unescape(value.bytes.data, value.bytes.len, &delimiters, out.data, capacity,
                               &len);
        CHECK(status == (capacity < query->text.bytes.len ? MLLP_ERR_BUFFER_TOO_SMALL : MLLP_OK));
        if (status == MLLP_OK)
            CHECK(len == query->text.bytes.len &&
                  memcmp(out.data, query->text.bytes.data, len) == 0);
    }
    block_free(&out);
}

/* By their numbers, from MSH-1 on. */
static const mllp_msh_t header_fields[FIELDS] = {
    MLLP_MSH_FIELD_SEPARATOR,
    MLLP_MSH_ENCODING_CHARACTERS,
    MLLP_MSH_SENDING_APPLICATION,
    MLLP_MSH_SENDING_FACILITY,
    MLLP_MSH_RECEIVING_APPLICATION,
    MLLP_MSH_RECEIVING_FACILITY,
    MLLP_MSH_DATE_TIME_OF_MESSAGE,
    MLLP_MSH_SECURITY,
    MLLP_MSH_MESSAGE_TYPE,
    MLLP_MSH_MESSAGE_CONTROL_ID,
    MLLP_MSH_PROCESSING_ID,
    MLLP_MSH_VERSION_ID,
    MLLP_MSH_SEQUENCE_NUMBER,
    MLLP_MSH_CONTINUATION_POINTER,
    MLLP_MSH_ACCEPT_ACKNOWLEDGMENT_TYPE,
    MLLP_MSH_APPLICATION_ACKNOWLEDGMENT_TYPE,
    MLLP_MSH_COUNTRY_CODE,
    MLLP_MSH_CHARACTER_SET,
    MLLP_MSH_PRINCIPAL_LANGUAGE_OF_MESSAGE,
    MLLP_MSH_ALTERNATE_CHARACTER_SET_HANDLING_SCHEME,
    MLLP_MSH_MESSAGE_PROFILE_IDENTIFIER,
};

static const struct {
    mllp_msh_t field;
    const char *path;
} header_parts[] = {
    {MLLP_MSH_MESSAGE_CODE, "MSH-9.1.1"},
    {MLLP_MSH_TRIGGER_EVENT, "MSH-9.2.1"},
    {MLLP_MSH_MESSAGE_STRUCTURE, "MSH-9.3.1"},
    {MLLP_MSH_VERSION, "MSH-12.1.1"},
    {MLLP_MSH_PROCESSING, "MSH-11.1.1"},
    {MLLP_MSH_CHARACTER_SET_FIRST, "MSH-18[1]"},
};

static mllp_slice_t found_at(const mllp_message_t *message, const char *text)
{
    mllp_path_t path = path_of(text);
    mllp_slice_t found = {NULL, 0};
    mllp_status_t status = mllp_message_leaf(message, &path, &found);
    CHECK(status == MLLP_OK || status == MLLP_NOT_FOUND);
    return found;
}

/* The header has the fields that paths find. */
static void check_header(const mllp_message_t *message, mllp_slice_t payload)
{
    mllp_message_header_t header, lenient;
    CHECK(mllp_message_header(message, &header) == MLLP_OK);
    CHECK(mllp_message_header_parse_lenient(payload.data, payload.len, &lenient) == MLLP_OK);
    CHECK(slice_equal(mllp_message_header_raw(&header), mllp_message_header_raw(&lenient)));
    CHECK(same_delimiters(mllp_message_header_delimiters(&header),
                          mllp_message_delimiters(message)));
    CHECK(mllp_message_header_scan(&header) == MLLP_SCAN_SINGLE_BYTE);
    for (uint32_t number = 0; number <= FIELDS + 1; number++) {
        char text[16];
        mllp_slice_t field = mllp_message_header_field(&header, number), found = {NULL, 0};
        CHECK(slice_equal(field, mllp_message_header_field(&lenient, number)));
        if (number == 0 || number > FIELDS) {
            CHECK(field.len == 0);
            continue;
        }
        snprintf(text, sizeof text, "MSH-%d", (int)number);
        mllp_path_t path = path_of(text);
        if (mllp_message_get(message, &path, &found) != MLLP_OK)
            found.len = 0;
        CHECK(slice_equal(field, found));
        CHECK(header_fields[number - 1] == number);
        if (number > 1)
            CHECK(slice_equal(field, mllp_message_header_fields(&header, number, number)));
    }
    for (size_t i = 0; i < COUNT(header_parts); i++)
        CHECK(slice_equal(mllp_message_header_field(&header, header_parts[i].field),
                          found_at(message, header_parts[i].path)));
}

/* Once a header is complete, more bytes do not change it. */
static void check_prefixes(const struct message_vector *vector, const mllp_message_t *message)
{
    mllp_message_header_t full, header, first;
    struct block prefix = {0};
    CHECK(mllp_message_header(message, &full) == MLLP_OK);
    for (size_t through = 0; through <= FIELDS + 2; through++) {
        int complete = 0;
        for (size_t len = 0; len <= vector->payload.len; len++) {
            mllp_status_t status;
            subject.numbers[0] = through;
            subject.numbers[1] = len;
            block_copy(&prefix, vector->payload.data, len);
            status = mllp_message_header_parse_prefix(prefix.data, len, through, &header);
            CHECK(status == (complete ? MLLP_OK : MLLP_PARTIAL) || !complete);
            CHECK(status == MLLP_OK || status == MLLP_PARTIAL);
            if (status != MLLP_OK)
                continue;
            for (uint32_t number = 1; number <= FIELDS; number++) {
                mllp_slice_t field = mllp_message_header_field(&header, number);
                if (number <= through || number <= 2)
                    CHECK(slice_equal(field, mllp_message_header_field(&full, number)));
                else
                    CHECK(field.len == 0);
            }
            first = header;
            complete = 1;
        }
        /* Without a terminator behind MSH only the caller knows that nothing more will come. */
        CHECK(complete == (strcmp(vector->id, "only_msh") != 0));
    }
    (void)first;
    block_free(&prefix);
}

static void messages(void)
{
    struct block payload = {0};
    for (size_t i = 0; i < COUNT(message_vectors); i++) {
        const struct message_vector *vector = &message_vectors[i];
        mllp_message_t message;
        mllp_part_t segments, segment;
        size_t count = 0;
        memset(&subject, 0, sizeof subject);
        subject.name = vector->id;
        block_copy(&payload, vector->payload.data, vector->payload.len);
        CHECK(mllp_message_parse(payload.data, payload.len, &message) == MLLP_OK);
        CHECK(mllp_message_payload(&message).data == payload.data);
        CHECK(mllp_message_payload(&message).len == payload.len);
        CHECK(same_delimiters(mllp_message_delimiters(&message), vector->delimiters));
        CHECK(mllp_message_terminator(&message) == vector->terminator);
        CHECK(mllp_message_kind(&message) == vector->kind);
        CHECK(mllp_message_has_addenda(&message) == 0);
        CHECK(mllp_message_encoding_characters(&message).len > 0);
        CHECK(mllp_message_segments(&message, &segments) == MLLP_OK);
        while (mllp_part_next(&segments, &segment) == MLLP_OK) {
            CHECK(count < vector->segments.count);
            if (count < vector->segments.count)
                CHECK(slice_equal(mllp_part_id(&segment), vector->segments.ids[count]));
            count++;
        }
        CHECK(count == vector->segments.count);
        for (size_t number = 0; number < vector->queries.count; number++)
            check_query(&message, &vector->queries.each[number]);
        check_header(&message, vector->payload);
        check_prefixes(vector, &message);
        walk_all_prefixes(vector->payload);
    }
    block_free(&payload);
}

static void errors(void)
{
    for (size_t i = 0; i < COUNT(error_vectors); i++) {
        const struct error_vector *vector = &error_vectors[i];
        mllp_path_t path;
        mllp_message_t message;
        mllp_status_t status;
        subject.name = vector->id;
        subject.part = "error";
        mark_untouched(&path, sizeof path);
        mark_untouched(&message, sizeof message);
        status = mllp_path_parse(vector->path.data, vector->path.len, &path);
        CHECK(status == MLLP_OK || is_untouched(&path, sizeof path));
        if (status == MLLP_OK) {
            status = mllp_message_parse(vector->payload.data, vector->payload.len, &message);
            CHECK(is_untouched(&message, sizeof message));
        }
        CHECK(status < 0 && strcmp(mllp_status_name(status), vector->error) == 0);
        walk_all_prefixes(vector->payload);
    }
}

static void escapes(void)
{
    struct block out = {0};
    subject.name = "escape";
    for (size_t i = 0; i < COUNT(escape_vectors); i++) {
        const struct escape_vector *vector = &escape_vectors[i];
        mllp_message_t message;
        mllp_delimiters_t delimiters;
        size_t len, need = vector->escaped.len;
        subject.numbers[0] = i;
        CHECK(mllp_message_parse(vector->header.data, vector->header.len, &message) == MLLP_OK);
        delimiters = mllp_message_delimiters(&message);
        CHECK(mllp_escaped_len(vector->text.data, vector->text.len, &delimiters) == need);
        for (size_t capacity = 0; capacity <= need; capacity++) {
            mllp_status_t status;
            block_make(&out, capacity);
            mark_untouched(&len, sizeof len);
            status = mllp_escape(vector->text.data, vector->text.len, &delimiters, out.data,
                                 capacity, &len);
            CHECK(status == (capacity < need ? MLLP_ERR_BUFFER_TOO_SMALL : MLLP_OK));
            CHECK(status == MLLP_OK || is_untouched(&len, sizeof len));
        }
        CHECK(len == need && (need == 0 || memcmp(out.data, vector->escaped.data, need) == 0));
        if (delimiters.escape == 0)
            continue;
        CHECK(mllp_unescape_with(vector->escaped.data, need, &delimiters, MLLP_SCAN_SINGLE_BYTE,
                                 out.data, out.len, &len) == MLLP_OK);
        CHECK(len == vector->text.len &&
              (len == 0 || memcmp(out.data, vector->text.data, len) == 0));
    }
    block_free(&out);
}

static void multi_byte(void)
{
    mllp_path_t second = path_of("PID-5.2");
    for (size_t i = 0; i < COUNT(multi_byte_vectors); i++) {
        const struct multi_byte_vector *vector = &multi_byte_vectors[i];
        const struct maybe naive = {1, vector->naive}, aware = {1, vector->aware},
                           aware_second = {1, vector->aware_second};
        const uint8_t *data = vector->payload.data;
        size_t len = vector->payload.len;
        mllp_message_t message;
        mllp_message_header_t header, with;
        mllp_slice_t found = {NULL, 0};
        mllp_path_t path;
        subject.name = vector->set;
        CHECK(mllp_path_parse(vector->path.data, vector->path.len, &path) == MLLP_OK);
        CHECK(mllp_message_parse(data, len, &message) == MLLP_OK);
        check_found(mllp_message_get(&message, &path, &found), found, &naive);
        check_found(mllp_message_get(&message, &second, &found), found, &vector->naive_second);
        CHECK(mllp_message_header(&message, &header) == MLLP_OK);
        if (vector->told)
            CHECK(mllp_character_set_scan(mllp_character_set_of(&header)) == vector->scan);
        CHECK(mllp_message_parse_with(data, len, vector->scan, &message) == MLLP_OK);
        check_found(mllp_message_get(&message, &path, &found), found, &aware);
        check_found(mllp_message_get(&message, &second, &found), found, &aware_second);
        CHECK(mllp_message_header_parse_lenient_with(data, len, vector->scan, &with) == MLLP_OK);
        CHECK(mllp_message_header_scan(&with) == vector->scan);
        CHECK(slice_equal(mllp_message_header_raw(&with), mllp_message_header_raw(&header)));
        CHECK(mllp_message_parse_lenient(data, len, vector->scan, &message) == MLLP_OK);
        check_found(mllp_message_get(&message, &path, &found), found, &aware);
        walk_all_prefixes(vector->payload);
    }
}

static void character_sets(void)
{
    for (size_t i = 0; i < COUNT(character_set_vectors); i++) {
        const struct character_set_vector *vector = &character_set_vectors[i];
        mllp_character_set_t set =
            mllp_character_set_from_name(vector->field.data, vector->field.len);
        subject.name = vector->name;
        CHECK(set != MLLP_CHARACTER_SET_UNKNOWN);
        CHECK(strcmp(mllp_character_set_name(set), vector->name) == 0);
        CHECK(!!mllp_character_set_delimiter_safe(set) == !!vector->delimiter_safe);
        CHECK(!!mllp_character_set_allowed_in_mllp(set) == !!vector->allowed_in_mllp);
    }
    CHECK(mllp_character_set_from_name((const uint8_t *)"nonsense", 8) ==
          MLLP_CHARACTER_SET_UNKNOWN);
}

void test_peek(void)
{
    messages();
    errors();
    escapes();
    multi_byte();
    character_sets();
    printf("peek: %zu messages, %lu values on the way through their prefixes\n",
           COUNT(message_vectors), walked);
}
