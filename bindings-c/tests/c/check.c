#include "check.h"

#include <stdio.h>
#include <string.h>

/* What a test fills outputs with that must not be written. */
enum { MARK = 0xA5, FAILURES_SHOWN = 20 };

struct subject subject;
unsigned long checks_done, checks_failed;

void check(int holds, const char *file, int line, const char *text)
{
    checks_done++;
    if (holds)
        return;
    if (++checks_failed <= FAILURES_SHOWN)
        fprintf(stderr, "%s:%d: %s\n  in %s %s, %zu %zu %zu\n", file, line, text,
                subject.name ? subject.name : "?", subject.part ? subject.part : "",
                subject.numbers[0], subject.numbers[1], subject.numbers[2]);
}

void mark_untouched(void *output, size_t len)
{
    memset(output, MARK, len);
}

int is_untouched(const void *output, size_t len)
{
    const unsigned char *bytes = output;
    while (len > 0)
        if (bytes[--len] != MARK)
            return 0;
    return 1;
}

int same_bytes(const void *state, const void *other, size_t len)
{
    const unsigned char *bytes = state, *others = other;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != others[i])
            return 0;
    return 1;
}
