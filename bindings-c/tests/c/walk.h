/* Every segment, field, repetition, component and subcomponent of whatever bytes there are. */
#ifndef WALK_H
#define WALK_H

#include "mllp.h"

/* How many subcomponents were seen. */
extern unsigned long walked;

/* Everything that is cut from a message lies in its payload, and what is cut from a part lies in
 * that part, in every way to search; put together again, the parts are what they were cut from. */
void walk(mllp_slice_t payload);

/* The same of every beginning of it, in a block of its own. */
void walk_all_prefixes(mllp_slice_t payload);

#endif
