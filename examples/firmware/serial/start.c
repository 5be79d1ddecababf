/* From reset to main, and where faults end. */
#include "clock.h"
#include "report.h"
#include "stack.h"
#include "uart.h"

#include <stdint.h>

int main(void);
void reset(void);

/* From the linker script. */
extern const uint32_t data_image[];
extern uint32_t data_start[], data_end[], bss_start[], bss_end[];

/* The gateway stops, and a watchdog would start it again. */
static void fault(void) {
    report_text("fault\n");
    for (;;)
        ;
}

/* The exceptions of the Cortex-M3 from number 1 on (ARMv7-M, B1.5.3), and interrupt 0, "UART 0
 * receive" (ARM DAI 0385, "Interrupts"). The stack pointer before them comes from the linker
 * script. */
__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    reset, fault, fault, fault, fault, fault, fault,      fault,
    fault, fault, fault, fault, fault, fault, clock_tick, uart_interrupt,
};

/* The first code that runs. */
void reset(void) {
    const uint32_t *from = data_image;
    for (uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    stack_paint();
    main();
}
