/* vectors/detect.json: whole, byte by byte and at every split. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

struct detect_vector {
    const char *id;
    mllp_slice_t bytes;
    const char *verdict;
    uint64_t offset;
};

#include "detect.vectors.h"

static void check_detection(mllp_status_t status, mllp_detection_t detection,
                            const struct detect_vector *vector)
{
    int undecided = detection.protocol == MLLP_PROTOCOL_MORE ||
                    detection.protocol == MLLP_PROTOCOL_START_BLOCK;
    CHECK(status == (undecided ? MLLP_PARTIAL : MLLP_OK));
    CHECK(strcmp(mllp_protocol_name(detection.protocol), vector->verdict) == 0);
    uint32_t foreign = strcmp(vector->verdict, "tls") == 0 || strcmp(vector->verdict, "http") == 0 ||
                  strncmp(vector->verdict, "proxy_v", 7) == 0;
    CHECK(mllp_protocol_is_foreign(detection.protocol) == foreign);
    CHECK(detection.offset == vector->offset);
}

/* In pieces of `step` bytes, the first of which ends at `cut`. */
static void feed(const struct detect_vector *vector, size_t cut, size_t step)
{
    struct block piece = {0};
    mllp_detector_t detector;
    mllp_detection_t detection = {0, 0};
    mllp_status_t status = MLLP_PARTIAL;
    size_t at = 0;
    CHECK(mllp_detector_init(&detector) == MLLP_OK);
    while (at < vector->bytes.len) {
        size_t len = at < cut ? cut - at : step;
        if (len > vector->bytes.len - at)
            len = vector->bytes.len - at;
        block_copy(&piece, vector->bytes.data + at, len);
        status = mllp_detector_feed(&detector, piece.data, len, &detection);
        at += len;
    }
    if (vector->bytes.len == 0)
        status = mllp_detector_feed(&detector, NULL, 0, &detection);
    check_detection(status, detection, vector);
    block_free(&piece);
}

void test_detect(void)
{
    size_t count = sizeof detect_vectors / sizeof *detect_vectors;
    struct block bytes = {0};
    for (size_t i = 0; i < count; i++) {
        const struct detect_vector *vector = &detect_vectors[i];
        mllp_detection_t detection;
        mllp_status_t status;
        memset(&subject, 0, sizeof subject);
        subject.name = vector->id;
        block_copy(&bytes, vector->bytes.data, vector->bytes.len);
        status = mllp_detect(bytes.data, bytes.len, &detection);
        check_detection(status, detection, vector);
        feed(vector, 0, 1);
        for (size_t cut = 1; cut <= vector->bytes.len; cut++)
            feed(vector, cut, vector->bytes.len);
    }
    block_free(&bytes);
    printf("detect: %zu beginnings\n", count);
}
