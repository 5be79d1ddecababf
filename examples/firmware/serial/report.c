#include "report.h"

#include "registers.h"

void report_start(void) {
    UART1->divider = DIVIDER_115200;
    UART1->control = CONTROL_TX | CONTROL_RX;
}

static void put(char letter) {
    while (UART1->state & STATE_TX_FULL)
        ;
    UART1->data = (uint8_t)letter;
}

void report_text(const char *text) {
    while (*text)
        put(*text++);
}

void report_number(uint32_t number) {
    uint32_t place = 1;
    while (number / place >= 10)
        place *= 10;
    for (; place > 0; place /= 10)
        put((char)('0' + number / place % 10));
}

bool report_asked(void) {
    if (!(UART1->state & STATE_RX_FULL))
        return false;
    (void)UART1->data; /* reading takes it */
    return true;
}
