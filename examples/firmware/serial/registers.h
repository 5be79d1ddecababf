/* The UART of the Cortex-M System Design Kit (ARM DDI 0479, "APB UART"); addresses and the clock of
 * the board are those of its application note (ARM DAI 0385). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

struct uart {
    uint32_t data, state, control, interrupt, divider;
};

#define UART0 ((volatile struct uart *)0x40004000)
#define UART1 ((volatile struct uart *)0x40005000)

#define STATE_TX_FULL (1u << 0)
#define STATE_RX_FULL (1u << 1)
#define STATE_RX_OVERRUN (1u << 3) /* writing it clears it */

#define CONTROL_TX (1u << 0)
#define CONTROL_RX (1u << 1)
#define CONTROL_RX_INTERRUPT (1u << 3)

#define INTERRUPT_RX (1u << 1) /* writing it clears it */

#define DIVIDER_115200 (25000000u / 115200)

#endif
