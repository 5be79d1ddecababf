/* Segments that no vector of one message has. */
#include <string.h>

#include "check.h"
#include "mllp.h"
#include "tests.h"

/* A segment that goes on, and local segments whose names do not have three characters. */
void test_segments(void)
{
    static const char payload[] =
        "MSH|^~\\&|A\rOBX|1|TX|A||first \rADD|second||||||F\rZABC|a\rZ1|b\r";
    static const char *const paths[] = {"OBX-5", "ADD-1", "ADD-7", "ZABC-1", "Z1-1"};
    static const char *const values[] = {"first ", "second", "F", "a", "b"};
    mllp_message_t message;
    mllp_path_t path;
    mllp_slice_t value;
    subject.name = "addenda";
    CHECK(mllp_message_parse((const uint8_t *)payload, sizeof payload - 1, &message) == MLLP_OK);
    CHECK(mllp_message_has_addenda(&message) == 1);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        subject.numbers[0] = i;
        CHECK(mllp_path_parse((const uint8_t *)paths[i], strlen(paths[i]), &path) == MLLP_OK);
        CHECK(mllp_message_get(&message, &path, &value) == MLLP_OK);
        CHECK(value.len == strlen(values[i]) && memcmp(value.data, values[i], value.len) == 0);
    }
}
