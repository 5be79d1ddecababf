//! What a reply says, and to which message.

use hl7_peek::{Error, Message, Path, Scan, trim_blanks};
use pyo3::prelude::*;

use crate::deviations;
use crate::input::{Input, ScanArgument};

const MSA_1: Result<Path, Error> = Path::parse("MSA-1");
const MSA_2: Result<Path, Error> = Path::parse("MSA-2");

/// Whether the payload of a reply answers the message with this MSH-10: its MSA-2 repeats it, byte
/// for byte or escaped; trailing blanks do not count on either side. A message without a control ID, which is empty, takes any reply. `scan` is
/// as for Message.
#[pyfunction]
#[pyo3(
    signature = (reply, control_id, *, scan = ScanArgument(Scan::SingleByte)),
    text_signature = "(reply, control_id, *, scan='single_byte')"
)]
pub(crate) fn answers(reply: Input<'_>, control_id: Input<'_>, scan: ScanArgument) -> bool {
    let mut scratch = vec![0; control_id.len()];
    mllp_link::answers(&reply, &control_id, scan.0, &mut scratch)
}

/// MSA-1 and MSA-2 of a reply, one character for each byte and without trailing blanks, which are
/// optional; empty where there are none. Read leniently, and never raises for what a payload holds. `scan` is as for Message.
#[pyfunction]
#[pyo3(
    signature = (reply, *, scan = ScanArgument(Scan::SingleByte)),
    text_signature = "(reply, *, scan='single_byte')"
)]
pub(crate) fn read_msa(reply: Input<'_>, scan: ScanArgument) -> (String, String) {
    let message = Message::parse_lenient(&reply, scan.0);
    let field = |path: Result<Path, Error>| {
        let bytes = message.as_ref().and_then(|it| it.get(path.ok()?)).unwrap_or_default();
        trim_blanks(bytes).iter().map(|byte| char::from(*byte)).collect()
    };
    (field(MSA_1), field(MSA_2))
}

/// Whether a payload names a character set in MSH-18 that reading by `scan` ignores, so that fields may
/// be cut in the middle of a character. `scan` is as for Message; by `auto` nothing is ignored.
#[pyfunction]
#[pyo3(
    signature = (payload, *, scan = ScanArgument(Scan::SingleByte)),
    text_signature = "(payload, *, scan='single_byte')"
)]
pub(crate) fn ignores_character_set(payload: Input<'_>, scan: ScanArgument) -> bool {
    deviations::of_payload(&payload, scan.0).contains(&"scan_mismatch")
}
