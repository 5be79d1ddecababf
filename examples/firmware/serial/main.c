/* An MLLP gateway on a microcontroller with a serial line: messages of any length in, their
 * acknowledgments out.
 *
 * The board is an MPS2 with the FPGA image AN385, as QEMU emulates it. There is no operating system
 * and no allocator: two interrupts, one for each byte and one for each millisecond, and a loop that
 * does what there is to do. */
#include "clock.h"
#include "gateway.h"
#include "report.h"
#include "stack.h"
#include "uart.h"

static struct gateway gateway;

int main(void) {
    clock_start();
    report_start();
    gateway_start(&gateway);
    for (;;) {
        bool busy = gateway_serve(&gateway);
        if (report_asked()) {
            report_text("stack: ");
            report_number(stack_used());
            report_text("\n");
        }
        if (!busy) {
            gateway_rest(&gateway);
            uart_wait();
        }
    }
}
