#include <stdlib.h>
#include <string.h>

#include "stream.h"

void log_clear(struct log *log)
{
    for (size_t i = 0; i < log->count; i++)
        free((void *)log->events[i].payload.data); /* its own copy */
    log->count = 0;
}

void log_free(struct log *log)
{
    log_clear(log);
    free(log->events);
    memset(log, 0, sizeof *log);
}

static int event_equal(const mllp_event_t *event, const mllp_event_t *other)
{
    return event->kind == other->kind && event->frame_kind == other->frame_kind &&
           event->deviations == other->deviations && event->fault == other->fault &&
           event->discard_reason == other->discard_reason && event->blank == other->blank &&
           event->offset == other->offset && event->len == other->len &&
           event->deviation_offset == other->deviation_offset &&
           event->payload.len == other->payload.len &&
           (event->payload.len == 0 ||
            memcmp(event->payload.data, other->payload.data, event->payload.len) == 0);
}

int log_equal(const struct log *log, const struct log *other)
{
    if (log->count != other->count)
        return 0;
    for (size_t i = 0; i < log->count; i++)
        if (!event_equal(&log->events[i], &other->events[i]))
            return 0;
    return memcmp(&log->counters, &other->counters, sizeof log->counters) == 0;
}
