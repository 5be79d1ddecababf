/* What happens, on the second serial line. Control IDs and payloads never go there.
 *
 * It blocks for as long as the line takes, less than the memory of the first line holds. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

void report_start(void);
void report_text(const char *text);
void report_number(uint32_t number);

/* Whether somebody has typed something: a question. */
bool report_asked(void);

#endif
