/* The serial line for messages, UART 0: 115200 baud, 8 data bits, no parity, no flow control.
 *
 * It holds a single byte. An interrupt takes each one at once, because the next may follow 87
 * microseconds later, while an answer is being written. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of somebody else. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

/* `memory` takes the bytes that came and were not taken; its length is a power of two. */
void uart_start(uint8_t *memory, uint32_t len);

/* Bytes that came, as many as lie together. */
struct bytes uart_received(void);

/* The first `len` of them are done with. */
void uart_taken(size_t len);

/* Whether bytes were lost behind those that were taken. None comes until uart_mend. */
bool uart_is_broken(void);

/* The line is good again: whoever takes the next bytes knows that some are missing. */
void uart_mend(void);

/* Sends the first of the bytes if there is room for it; how many it took. */
size_t uart_send(struct bytes bytes);

/* Sleeps until an interrupt, unless bytes have come. */
void uart_wait(void);

/* The interrupt: a byte has come. */
void uart_interrupt(void);

#endif
