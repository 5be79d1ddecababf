//! What the board has beside its Ethernet controller: a clock, and a serial line for the log.
//!
//! Addresses and names are those of the application note of the FPGA image (ARM DAI 0385) and, for the
//! serial line, of the Cortex-M System Design Kit (ARM DDI 0479).

use core::fmt;

use crate::register::Register;

// SAFETY: registers of this board, here and below.
const PRESCALE: Register = unsafe { Register::at(0x4002_801C) };
// SAFETY: as above.
const COUNTER: Register = unsafe { Register::at(0x4002_8018) };

/// The FPGA's counter, from start to its end after 49 days and then on.
pub struct Clock {
    last: u32,
    millis: u64,
}

impl Clock {
    /// Starts at 0.
    pub fn start() -> Clock {
        const HERTZ: u32 = 25_000_000;
        PRESCALE.write(HERTZ / 1000 - 1);
        Clock { last: COUNTER.read(), millis: 0 }
    }

    /// Milliseconds since the start. Ask at least once in 49 days.
    pub fn now(&mut self) -> u64 {
        let count = COUNTER.read();
        self.millis += u64::from(count.wrapping_sub(self.last));
        self.last = count;
        self.millis
    }
}

// SAFETY: UART1; UART0 is for messages, in the gateway that has no network.
const UART_DATA: Register = unsafe { Register::at(0x4000_5000) };
// SAFETY: as above.
const UART_STATE: Register = unsafe { Register::at(0x4000_5004) };
// SAFETY: as above.
const UART_CTRL: Register = unsafe { Register::at(0x4000_5008) };
// SAFETY: as above.
const UART_BAUDDIV: Register = unsafe { Register::at(0x4000_5010) };

const STATE_TX_FULL: u32 = 1 << 0;
const CTRL_TX_ENABLE: u32 = 1 << 0;

/// The serial line that says what happens. Control IDs and payloads never go there.
pub struct Log;

impl Log {
    /// At 115200 baud.
    pub fn start() {
        UART_BAUDDIV.write(25_000_000 / 115_200);
        UART_CTRL.write(CTRL_TX_ENABLE);
    }
}

impl fmt::Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while UART_STATE.read() & STATE_TX_FULL != 0 {}
            UART_DATA.write(u32::from(byte));
        }
        Ok(())
    }
}

/// One line in the log.
macro_rules! log {
    ($($arguments:tt)*) => {{
        use core::fmt::Write;
        let _ = writeln!($crate::board::Log, $($arguments)*);
    }};
}
pub(crate) use log;
