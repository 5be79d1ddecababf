#include "stack.h"

/* No address and no small number, so that hardly anything that is pushed looks like it. */
#define PAINT 0xA5C35A3Cu

/* From the linker script: the ends of the memory that the stack may take. */
extern uint32_t stack_limit[], stack_top[];

void stack_paint(void) {
    volatile uint32_t *here = __builtin_frame_address(0);
    for (volatile uint32_t *at = stack_limit; at < here - 8; at++) /* what this function pushed */
        *at = PAINT;
}

uint32_t stack_used(void) {
    const volatile uint32_t *at = stack_limit;
    while (at < stack_top && *at == PAINT)
        at++;
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)at);
}
