//! The Ethernet controller of the board, an SMSC LAN9118, without interrupts: `Device` for smoltcp.
//!
//! Names and numbers are those of its data sheet (DS00002266): chapter 3.12 and 3.13 for the way of a
//! frame, 5.3 and 5.4 for the registers. Frames go through two FIFOs, 32 bits at a time, the first
//! byte in the lowest bits.

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;

use crate::memory::FRAME;
use crate::register::Register;

const BASE: usize = 0x4020_0000;

// SAFETY: registers of the controller, here and below.
const RX_DATA_FIFO: Register = unsafe { Register::at(BASE) };
// SAFETY: as above.
const TX_DATA_FIFO: Register = unsafe { Register::at(BASE + 0x20) };
// SAFETY: as above.
const RX_STATUS_FIFO: Register = unsafe { Register::at(BASE + 0x40) };
// SAFETY: as above.
const TX_STATUS_FIFO: Register = unsafe { Register::at(BASE + 0x48) };
// SAFETY: as above.
const TX_CFG: Register = unsafe { Register::at(BASE + 0x70) };
// SAFETY: as above.
const HW_CFG: Register = unsafe { Register::at(BASE + 0x74) };
// SAFETY: as above.
const RX_FIFO_INF: Register = unsafe { Register::at(BASE + 0x7C) };
// SAFETY: as above.
const TX_FIFO_INF: Register = unsafe { Register::at(BASE + 0x80) };
// SAFETY: as above.
const MAC_CSR_CMD: Register = unsafe { Register::at(BASE + 0xA4) };
// SAFETY: as above.
const MAC_CSR_DATA: Register = unsafe { Register::at(BASE + 0xA8) };

const HW_CFG_SRST: u32 = 1 << 0;
/// "Must be one".
const HW_CFG_MBO: u32 = 1 << 20;
/// Of 16 KiB, 5 are for sending.
const HW_CFG_TX_FIF_SZ: u32 = 5 << 16;
const TX_CFG_TX_ON: u32 = 1 << 1;
const TX_COMMAND_A_FIRST: u32 = 1 << 13;
const TX_COMMAND_A_LAST: u32 = 1 << 12;
const RX_STATUS_ERROR: u32 = 1 << 15;

// The registers of the MAC are behind MAC_CSR_CMD and MAC_CSR_DATA.
const CSR_BUSY: u32 = 1 << 31;
const CSR_READ: u32 = 1 << 30;
const MAC_CR: u32 = 1;
const ADDRH: u32 = 2;
const ADDRL: u32 = 3;
const MII_ACC: u32 = 6;
const MII_DATA: u32 = 7;
const MAC_CR_FDPX: u32 = 1 << 20;
const MAC_CR_TXEN: u32 = 1 << 3;
const MAC_CR_RXEN: u32 = 1 << 2;

// The registers of the PHY are behind MII_ACC and MII_DATA.
const MII_ACC_PHY_ADDRESS: u32 = 1 << 11;
const MII_ACC_WRITE: u32 = 1 << 1;
const MII_ACC_BUSY: u32 = 1 << 0;
const BASIC_CONTROL: u32 = 0;
const AUTO_NEGOTIATION: u32 = 1 << 12 | 1 << 9;

/// The check sequence behind a frame that was received.
const FCS: usize = 4;

/// The controller, with room for one frame in each direction.
pub struct Ethernet<'m> {
    received: &'m mut [u8; FRAME],
    sent: &'m mut [u8; FRAME],
}

impl<'m> Ethernet<'m> {
    /// Resets the controller and turns it on.
    pub fn start([received, sent]: &'m mut [[u8; FRAME]; 2]) -> Ethernet<'m> {
        HW_CFG.write(HW_CFG_SRST);
        while HW_CFG.read() & HW_CFG_SRST != 0 {}
        HW_CFG.write(HW_CFG_MBO | HW_CFG_TX_FIF_SZ);
        write_phy(BASIC_CONTROL, AUTO_NEGOTIATION);
        write_mac(MAC_CR, MAC_CR_FDPX | MAC_CR_TXEN | MAC_CR_RXEN);
        TX_CFG.write(TX_CFG_TX_ON);
        Ethernet { received, sent }
    }

    /// The address, which the controller has read from its EEPROM.
    pub fn address(&self) -> EthernetAddress {
        let [a, b, c, d] = read_mac(ADDRL).to_le_bytes();
        let [e, f, ..] = read_mac(ADDRH).to_le_bytes();
        EthernetAddress([a, b, c, d, e, f])
    }

    /// Takes the next frame out of the controller. `None` if it is damaged or too long: a peer that
    /// keeps to the handshake sends none that is.
    fn take(&mut self) -> Option<usize> {
        let status = RX_STATUS_FIFO.read();
        let len = (status >> 16 & 0x3FFF) as usize;
        let mut room = self.received.as_chunks_mut().0.iter_mut();
        // What does not fit must be read all the same: the next frame is behind it.
        for _ in 0..len.div_ceil(4) {
            let word = RX_DATA_FIFO.read().to_le_bytes();
            if let Some(room) = room.next() {
                *room = word;
            }
        }
        let len = len.checked_sub(FCS)?;
        (status & RX_STATUS_ERROR == 0 && len <= FRAME).then_some(len)
    }
}

/// A frame that was received: the front of the room for it.
pub struct RxToken<'t>(&'t [u8]);

/// The right to send one frame.
pub struct TxToken<'t>(&'t mut [u8; FRAME]);

impl phy::Device for Ethernet<'_> {
    type RxToken<'t>
        = RxToken<'t>
    where
        Self: 't;
    type TxToken<'t>
        = TxToken<'t>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(RxToken<'_>, TxToken<'_>)> {
        let waiting = RX_FIFO_INF.read() >> 16 & 0xFF;
        if waiting == 0 || !can_send() {
            return None;
        }
        let len = self.take()?;
        Some((RxToken(self.received.get(..len)?), TxToken(self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<TxToken<'_>> {
        can_send().then_some(TxToken(self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let len = len.min(FRAME);
        let result = write(&mut self.0[..len]);
        TX_DATA_FIFO.write(TX_COMMAND_A_FIRST | TX_COMMAND_A_LAST | len as u32);
        TX_DATA_FIFO.write(len as u32);
        // What is in the last word behind the frame is not sent.
        for word in self.0[..len.next_multiple_of(4)].as_chunks().0 {
            TX_DATA_FIFO.write(u32::from_le_bytes(*word));
        }
        result
    }
}

/// Whether the longest frame fits into the controller. Reports of frames that went are dropped.
fn can_send() -> bool {
    const COMMANDS: u32 = 8;
    let info = TX_FIFO_INF.read();
    for _ in 0..info >> 16 & 0xFF {
        TX_STATUS_FIFO.read();
    }
    (info & 0xFFFF) >= FRAME as u32 + COMMANDS
}

fn read_mac(register: u32) -> u32 {
    MAC_CSR_CMD.write(CSR_BUSY | CSR_READ | register);
    while MAC_CSR_CMD.read() & CSR_BUSY != 0 {}
    MAC_CSR_DATA.read()
}

fn write_mac(register: u32, value: u32) {
    MAC_CSR_DATA.write(value);
    MAC_CSR_CMD.write(CSR_BUSY | register);
    while MAC_CSR_CMD.read() & CSR_BUSY != 0 {}
}

fn write_phy(register: u32, value: u32) {
    write_mac(MII_DATA, value);
    write_mac(MII_ACC, MII_ACC_PHY_ADDRESS | register << 6 | MII_ACC_WRITE | MII_ACC_BUSY);
    while read_mac(MII_ACC) & MII_ACC_BUSY != 0 {}
}
