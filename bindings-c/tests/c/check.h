/* Checks that are counted, and of which none ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>

/* What is being tested, for the report of a failure: a name, and up to three numbers. */
struct subject {
    const char *name;
    const char *part;
    size_t numbers[3];
};
extern struct subject subject;

extern unsigned long checks_done, checks_failed;

void check(int holds, const char *file, int line, const char *text);

#define CHECK(condition) check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

/* A call that is refused with this status, and leaves alone what it would have written to. */
#define REFUSED(expected, output, call)                                                             \
    do {                                                                                            \
        mark_untouched(&(output), sizeof(output));                                                  \
        CHECK((call) == (expected));                                                                \
        CHECK(is_untouched(&(output), sizeof(output)));                                             \
    } while (0)

void mark_untouched(void *output, size_t len);
int is_untouched(const void *output, size_t len);

/* Whether two states are the same, padding and all: valgrind.supp says that this is meant. */
int same_bytes(const void *state, const void *other, size_t len);

#endif
