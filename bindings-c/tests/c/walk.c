#include "walk.h"

#include <string.h>

#include "block.h"
#include "check.h"

unsigned long walked;

static int inside(mllp_slice_t part, mllp_slice_t whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* Parts with one delimiter between them are `whole`. */
static int joined(size_t count, size_t bytes, mllp_slice_t whole)
{
    return count > 0 && bytes + (count - 1) == whole.len;
}

static void walk_component(const mllp_component_t *component)
{
    mllp_slice_t whole = mllp_component_raw(component), part;
    mllp_subcomponents_t parts;
    size_t count = 0, bytes = 0;
    CHECK(mllp_component_subcomponents(component, &parts) == MLLP_OK);
    for (; mllp_subcomponents_next(&parts, &part) == MLLP_OK; count++, bytes += part.len)
        CHECK(inside(part, whole));
    CHECK(joined(count, bytes, whole));
    CHECK(mllp_subcomponents_next(&parts, &part) == MLLP_NOT_FOUND);
    walked += count;
}

static void walk_repetition(const mllp_repetition_t *repetition)
{
    mllp_slice_t whole = mllp_repetition_raw(repetition);
    mllp_components_t parts;
    mllp_component_t part;
    size_t count = 0, bytes = 0;
    CHECK(mllp_repetition_components(repetition, &parts) == MLLP_OK);
    for (; mllp_components_next(&parts, &part) == MLLP_OK; count++) {
        CHECK(inside(mllp_component_raw(&part), whole));
        bytes += mllp_component_raw(&part).len;
        walk_component(&part);
    }
    CHECK(joined(count, bytes, whole));
}

static void walk_field(const mllp_field_t *field)
{
    mllp_slice_t whole = mllp_field_raw(field);
    mllp_repetitions_t parts;
    mllp_repetition_t part;
    size_t count = 0, bytes = 0;
    CHECK(mllp_field_repetitions(field, &parts) == MLLP_OK);
    for (; mllp_repetitions_next(&parts, &part) == MLLP_OK; count++) {
        CHECK(inside(mllp_repetition_raw(&part), whole));
        bytes += mllp_repetition_raw(&part).len;
        walk_repetition(&part);
    }
    CHECK(joined(count, bytes, whole));
}

static void walk_segment(const mllp_segment_t *segment, mllp_slice_t payload)
{
    mllp_slice_t whole = mllp_segment_raw(segment);
    mllp_fields_t parts;
    mllp_field_t part, again;
    size_t number = 0;
    CHECK(inside(mllp_segment_id(segment), whole));
    CHECK(mllp_segment_fields(segment, &parts) == MLLP_OK);
    for (; mllp_fields_next(&parts, &part) == MLLP_OK; number++) {
        /* MSH-1 of a later message in a batch is the separator of the whole payload. */
        CHECK(inside(mllp_field_raw(&part), number == 0 ? payload : whole));
        CHECK(mllp_segment_field(segment, number + 1, &again) == MLLP_OK);
        CHECK(mllp_field_raw(&again).data == mllp_field_raw(&part).data &&
              mllp_field_raw(&again).len == mllp_field_raw(&part).len);
        walk_field(&part);
    }
    CHECK(mllp_segment_field(segment, number + 1, &again) == MLLP_NOT_FOUND);
    CHECK(mllp_segment_field(segment, 0, &again) == MLLP_NOT_FOUND);
}

static void walk_message(const mllp_message_t *message)
{
    mllp_slice_t whole = mllp_message_payload(message);
    mllp_segments_t parts;
    mllp_segment_t part, again;
    CHECK(mllp_message_segments(message, &parts) == MLLP_OK);
    while (mllp_segments_next(&parts, &part) == MLLP_OK) {
        mllp_slice_t raw = mllp_segment_raw(&part);
        CHECK(raw.len > 0 && inside(raw, whole));
        CHECK(mllp_message_segment_of(message, raw.data, raw.len, &again) == MLLP_OK);
        CHECK(mllp_segment_raw(&again).len == raw.len);
        walk_segment(&part, whole);
    }
    CHECK(mllp_message_kind(message) != 0 && mllp_message_terminator(message) != 0);
}

void walk(mllp_slice_t payload)
{
    for (mllp_scan_t scan = MLLP_SCAN_SINGLE_BYTE; scan <= MLLP_SCAN_AUTO; scan++) {
        mllp_message_t message;
        mllp_message_header_t header;
        mllp_status_t status =
            mllp_message_parse_with(payload.data, payload.len, scan, &message);
        mllp_status_t lenient;
        CHECK(status == MLLP_OK || status < 0);
        if (status == MLLP_OK)
            walk_message(&message);
        lenient = mllp_message_parse_lenient(payload.data, payload.len, scan, &message);
        CHECK(lenient == MLLP_OK || (lenient == MLLP_NOT_FOUND && status < 0));
        if (lenient == MLLP_OK)
            walk_message(&message);
        lenient = mllp_message_header_parse_lenient_with(payload.data, payload.len, scan, &header);
        CHECK(lenient == MLLP_OK || lenient == MLLP_NOT_FOUND);
        if (lenient == MLLP_OK)
            CHECK(inside(mllp_message_header_raw(&header), payload));
    }
}

void walk_all_prefixes(mllp_slice_t payload)
{
    struct block prefix = {0};
    for (size_t len = 0; len <= payload.len; len++) {
        mllp_slice_t part;
        subject.numbers[0] = len;
        block_copy(&prefix, payload.data, len);
        part.data = prefix.data;
        part.len = len;
        walk(part);
    }
    block_free(&prefix);
}
