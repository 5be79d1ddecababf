/* How deep the stack gets: it is painted, and what has lost its paint was used. */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

/* Paints the stack from its limit to where it is. */
void stack_paint(void);

/* The deepest use since then, in bytes. */
uint32_t stack_used(void);

#endif
