//! Which acknowledgments a message gets.

use ack_gen::{
    AcceptLists, AckCode, Condition, Decision as Core, Inbound, Mode, Outcome, Receipt, Request,
};
use hl7_peek::{Message as Peek, Scan};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;

use crate::detail::ErrorDetail;
use crate::error::message_error;
use crate::input::{Input, ScanArgument};

/// The acknowledgments that a message gets.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Decision(Core);

#[pymethods]
impl Decision {
    /// `original` or `enhanced`.
    #[getter]
    fn mode(&self) -> &'static str {
        match self.0.mode {
            Mode::Original => "original",
            Mode::Enhanced => "enhanced",
        }
    }

    /// Code of the accept acknowledgment; None when there is none.
    #[getter]
    fn accept_ack(&self) -> Option<&'static str> {
        self.0.accept.map(AckCode::as_str)
    }

    /// Code of the application acknowledgment; None when there is none.
    #[getter]
    fn application_ack(&self) -> Option<&'static str> {
        self.0.application.map(AckCode::as_str)
    }

    fn __repr__(&self) -> String {
        let code = |code: Option<&'static str>| code.unwrap_or("-");
        let (accept, application) = (code(self.accept_ack()), code(self.application_ack()));
        format!("Decision({}, {accept}, {application})", self.mode())
    }
}

/// The decision table of chapter 2 (2.8.2, 2.8.3).
///
/// `accept_type` and `application_type` are MSH-15 and MSH-16. `outcome` is `accept`, `error` or
/// `reject`; `application_outcome` says what became of the message at application level where that
/// differs. `msa_1` is MSA-1 of the message if it is an acknowledgment itself. With `refused` the
/// sender hears of a refusal once: an accept acknowledgment ends the exchange.
#[pyfunction]
#[pyo3(signature = (accept_type, application_type, outcome, *, application_outcome = None, msa_1 = None, refused = false))]
pub(crate) fn decide(
    accept_type: Input<'_>,
    application_type: Input<'_>,
    outcome: &str,
    application_outcome: Option<&str>,
    msa_1: Option<Input<'_>>,
    refused: bool,
) -> PyResult<Decision> {
    let request = request(&accept_type, &application_type, msa_1.as_deref());
    let accept = read_outcome(outcome)?;
    let application = application_outcome.map_or(Ok(accept), read_outcome)?;
    Ok(Decision(if refused { request.refuse(accept) } else { request.decide(accept, application) }))
}

/// The code of the one reply to a message whose sender waits for a reply whatever it asked for: at
/// accept level when MSH-15 asks for it, at application level otherwise; None for a message that is
/// an acknowledgment itself. Arguments as for `decide`.
#[pyfunction]
#[pyo3(signature = (accept_type, application_type, outcome, *, application_outcome = None, msa_1 = None))]
pub(crate) fn always_one_reply(
    accept_type: Input<'_>,
    application_type: Input<'_>,
    outcome: &str,
    application_outcome: Option<&str>,
    msa_1: Option<Input<'_>>,
) -> PyResult<Option<&'static str>> {
    let request = request(&accept_type, &application_type, msa_1.as_deref());
    let accept = read_outcome(outcome)?;
    let application = application_outcome.map_or(Ok(accept), read_outcome)?;
    Ok(request.always_one_reply(accept, application).map(AckCode::as_str))
}

/// Everything about a payload's header that forbids a positive answer, in the order in which the
/// standard checks; an empty list when there is nothing.
///
/// A list of accepted values that is None accepts everything. `message_types` has entries such as
/// `ADT^A01`, or `ADT` for every event. `damaged` says that bytes of the frame were lost. `scan` is as
/// for Message. Raises MessageError for a payload without a usable header: that one has no
/// acknowledgment at all.
#[pyfunction]
#[pyo3(
    signature = (
        payload,
        *,
        message_types = None,
        versions = None,
        processing_ids = None,
        damaged = false,
        scan = ScanArgument(Scan::SingleByte),
    ),
    text_signature = "(payload, *, message_types=None, versions=None, processing_ids=None, \
        damaged=False, scan='single_byte')"
)]
pub(crate) fn check(
    payload: Input<'_>,
    message_types: Option<Vec<String>>,
    versions: Option<Vec<String>>,
    processing_ids: Option<Vec<String>>,
    damaged: bool,
    scan: ScanArgument,
) -> PyResult<Vec<ErrorDetail>> {
    let message = Peek::parse_undoubled(&payload, scan.0).map_err(message_error)?;
    let [message_types, versions, processing_ids] =
        [&message_types, &versions, &processing_ids].map(as_bytes);
    let lists = AcceptLists {
        message_types: message_types.as_deref(),
        versions: versions.as_deref(),
        processing_ids: processing_ids.as_deref(),
    };
    let receipt = Receipt { kind: message.kind(), damaged };
    let errors = ack_gen::check(&message.header(), receipt, &lists);
    Ok(errors.as_slice().iter().map(ErrorDetail::from_core).collect())
}

/// Which answer a message gets by the policy `conformant`: its code, empty when nothing goes back; why
/// it must not be accepted; and the code of the application acknowledgment that is due elsewhere.
///
/// `code` is what the handler says. Raises MessageError for a payload without a header that could be
/// answered, and KeyError for a code that is none.
#[pyfunction]
#[pyo3(
    signature = (payload, code, *, scan = ScanArgument(Scan::SingleByte)),
    text_signature = "(payload, code, *, scan='single_byte')"
)]
pub(crate) fn conformant_answer(
    payload: Input<'_>,
    code: &str,
    scan: ScanArgument,
) -> PyResult<(&'static str, Vec<ErrorDetail>, &'static str)> {
    let said = AckCode::ALL.into_iter().find(|said| said.as_str() == code);
    let said = said.ok_or_else(|| PyKeyError::new_err(code.to_owned()))?;
    let answer = mllp_link::conformant_answer(&payload, scan.0, said).map_err(message_error)?;
    let errors = answer.errors.as_slice().iter().map(ErrorDetail::from_core).collect();
    let name = |code: Option<AckCode>| code.map_or("", AckCode::as_str);
    Ok((name(answer.code), errors, name(answer.due)))
}

fn request(accept: &[u8], application: &[u8], msa_1: Option<&[u8]>) -> Request {
    Request {
        accept: Condition::from_field(accept),
        application: Condition::from_field(application),
        inbound: Inbound::from_msa(msa_1),
    }
}

fn read_outcome(outcome: &str) -> PyResult<Outcome> {
    match outcome {
        "accept" => Ok(Outcome::Accept),
        "error" => Ok(Outcome::Error),
        "reject" => Ok(Outcome::Reject),
        _ => Err(PyValueError::new_err(format!(
            "outcome must be 'accept', 'error' or 'reject', not {outcome:?}"
        ))),
    }
}

fn as_bytes(list: &Option<Vec<String>>) -> Option<Vec<&[u8]>> {
    list.as_ref().map(|list| list.iter().map(String::as_bytes).collect())
}
