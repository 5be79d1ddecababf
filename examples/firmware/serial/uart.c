#include "uart.h"

#include "registers.h"

/* The interrupt controller (ARMv7-M, B3.4), which has a bit for each interrupt. */
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100)
#define NVIC_DISABLE (*(volatile uint32_t *)0xE000E180)
#define UART0_RECEIVES (1u << 0)

/* A ring. The positions run on for ever, and their difference is what is in it: the interrupt moves
 * one, the gateway the other. */
static uint8_t *ring;
static uint32_t size;
static volatile uint32_t came, taken;
static volatile bool broken;

void uart_start(uint8_t *memory, uint32_t len) {
    ring = memory;
    size = len;
    UART0->divider = DIVIDER_115200;
    UART0->control = CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
    NVIC_ENABLE = UART0_RECEIVES;
}

static bool is_full(void) {
    return came - taken == size;
}

void uart_interrupt(void) {
    uint32_t state;
    if (is_full()) {
        /* The byte stays where it is, and the interrupt with it. One more, and the UART says so. */
        NVIC_DISABLE = UART0_RECEIVES;
        return;
    }
    UART0->interrupt = INTERRUPT_RX; /* before the byte is taken: the next one brings its own */
    while (!is_full() && (state = UART0->state) & STATE_RX_FULL) {
        uint8_t byte = (uint8_t)UART0->data;
        if (state & STATE_RX_OVERRUN) {
            UART0->state = STATE_RX_OVERRUN;
            broken = true;
        }
        if (!broken)
            ring[came++ & (size - 1)] = byte;
    }
}

struct bytes uart_received(void) {
    uint32_t start = taken & (size - 1), len = came - taken;
    return (struct bytes){ring + start, len < size - start ? len : size - start};
}

void uart_taken(size_t len) {
    taken += (uint32_t)len;
    NVIC_ENABLE = UART0_RECEIVES;
}

bool uart_is_broken(void) {
    return broken && came == taken;
}

void uart_mend(void) {
    broken = false;
}

size_t uart_send(struct bytes bytes) {
    if (bytes.len == 0 || UART0->state & STATE_TX_FULL)
        return 0;
    UART0->data = *bytes.data;
    return 1;
}

void uart_wait(void) {
    /* An interrupt ends the sleep although it is masked (ARMv7-M, B1.5.19): none slips through
     * between the look and the sleep. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (came == taken)
        __asm__ volatile("wfi" ::: "memory");
    __asm__ volatile("cpsie i" ::: "memory");
}
