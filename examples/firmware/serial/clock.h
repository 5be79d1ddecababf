/* Milliseconds since the start, and the time of day. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define CLOCK_HERTZ 25000000u /* of the processor and of everything on the board */

void clock_start(void);

/* Milliseconds since the start. Ask at least once in 49 days. */
uint64_t clock_now(void);

/* Seconds since 1970, UTC, when the clock started. */
uint32_t clock_started(void);

/* The interrupt of every millisecond. */
void clock_tick(void);

#endif
