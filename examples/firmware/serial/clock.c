#include "clock.h"

/* SysTick (ARMv7-M, B3.3). */
struct systick {
    uint32_t control, reload, current;
};
#define SYSTICK ((volatile struct systick *)0xE000E010)
#define CONTROL_ON 7u /* counts, interrupts, with the clock of the processor */

static volatile uint32_t ticks; /* for 49 days, and then from 0 on */
static uint64_t now;
static uint32_t started;

/* This board has no clock with the date. The emulator lends that of its host (ARM "Semihosting for
 * AArch32", SYS_TIME); a product reads its real-time clock here. */
static uint32_t read_date(void) {
    register uint32_t request __asm__("r0") = 0x11;
    register uint32_t parameter __asm__("r1") = 0;
    __asm__ volatile("bkpt 0xab" : "+r"(request) : "r"(parameter) : "memory");
    return request;
}

void clock_start(void) {
    started = read_date();
    SYSTICK->reload = CLOCK_HERTZ / 1000 - 1;
    SYSTICK->current = 0;
    SYSTICK->control = CONTROL_ON;
}

void clock_tick(void) {
    ticks++;
}

uint64_t clock_now(void) {
    now += ticks - (uint32_t)now;
    return now;
}

uint32_t clock_started(void) {
    return started;
}
