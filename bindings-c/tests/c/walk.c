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

/* The levels below a segment. */
enum level { FIELD, REPETITION, COMPONENT, SUBCOMPONENT };

/* A part of this level, and what it is cut into. */
static void walk_part(mllp_part_t *whole, enum level level)
{
    mllp_slice_t all = mllp_part_raw(whole);
    mllp_part_t part;
    size_t count = 0, bytes = 0;
    CHECK(mllp_part_id(whole).data == NULL);
    CHECK(mllp_part_field(whole, 1, &part) == MLLP_NOT_FOUND);
    for (; mllp_part_next(whole, &part) == MLLP_OK; count++) {
        CHECK(level < SUBCOMPONENT && inside(mllp_part_raw(&part), all));
        bytes += mllp_part_raw(&part).len;
        walk_part(&part, level + 1);
    }
    CHECK(level == SUBCOMPONENT ? count == 0 : joined(count, bytes, all));
    CHECK(mllp_part_next(whole, &part) == MLLP_NOT_FOUND);
    walked += level == SUBCOMPONENT;
}

static void walk_segment(mllp_part_t *segment, mllp_slice_t payload)
{
    mllp_slice_t whole = mllp_part_raw(segment);
    mllp_part_t part, again;
    size_t number = 0;
    CHECK(inside(mllp_part_id(segment), whole));
    for (; mllp_part_next(segment, &part) == MLLP_OK; number++) {
        /* MSH-1 of a later message in a batch is the separator of the whole payload. */
        CHECK(inside(mllp_part_raw(&part), number == 0 ? payload : whole));
        CHECK(mllp_part_field(segment, number + 1, &again) == MLLP_OK);
        CHECK(mllp_part_raw(&again).data == mllp_part_raw(&part).data &&
              mllp_part_raw(&again).len == mllp_part_raw(&part).len);
        walk_part(&part, FIELD);
    }
    CHECK(mllp_part_field(segment, number + 1, &again) == MLLP_NOT_FOUND);
    CHECK(mllp_part_field(segment, 0, &again) == MLLP_NOT_FOUND);
}

static void walk_message(const mllp_message_t *message)
{
    mllp_slice_t whole = mllp_message_payload(message);
    mllp_part_t parts, part, again;
    CHECK(mllp_message_segments(message, &parts) == MLLP_OK);
    CHECK(mllp_part_id(&parts).data == NULL && mllp_part_raw(&parts).data == whole.data);
    while (mllp_part_next(&parts, &part) == MLLP_OK) {
        mllp_slice_t raw = mllp_part_raw(&part);
        CHECK(raw.len > 0 && inside(raw, whole));
        CHECK(mllp_message_segment_of(message, raw.data, raw.len, &again) == MLLP_OK);
        CHECK(mllp_part_raw(&again).len == raw.len);
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
