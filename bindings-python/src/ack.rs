//! Acknowledgments.

use ack_gen::{Ack as Core, AckCode, ErrorDetail as CoreDetail, Policy, Timestamp};
use hl7_peek::{CharacterSet, Kind, Message as Peek, MessageHeader, Scan};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use uuid::fmt::Simple;

use crate::detail::ErrorDetail;
use crate::error::{ack_error, bad_ack_code, batch_accepted, message_error};
use crate::input::{Input, ScanArgument};
use crate::own_text::{OwnText, copies_fit};
use crate::stamp::{Stamp, new_control_id, unix_seconds};

/// What an acknowledgment says, for whatever message it will answer.
///
/// `control_id` and `timestamp` are MSH-10 and MSH-7 of the acknowledgment; without them each one
/// gets a new UUID and the present time: UTC, with the policy `conformant` with its offset. An
/// acknowledgment is in one character set: texts are encoded in the one that MSH-18 of the message
/// names, see `encode`. `message_structure` is MSH-9.3; without it that is ACK with the policy
/// `conformant` from version 2.4 on. `character_set` is MSH-18, and then the set of the texts; it
/// does not count for a message whose names are in another set, since they are copied as they are.
/// `message_profile_identifier` is MSH-21, which is never that of the message: the acknowledgment has
/// a profile of its own.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct Ack {
    code: AckCode,
    policy: Policy,
    control_id: Option<String>,
    timestamp: Option<String>,
    text: String,
    errors: Vec<Py<ErrorDetail>>,
    expected_sequence_number: Option<i64>,
    sending_application: Option<String>,
    sending_facility: Option<String>,
    accept_acknowledgment_type: String,
    application_acknowledgment_type: String,
    message_structure: String,
    character_set: Option<String>,
    message_profile_identifier: String,
}

#[pymethods]
impl Ack {
    #[new]
    #[pyo3(signature = (
        code = "AA",
        *,
        policy = "always",
        control_id = None,
        timestamp = None,
        text = String::new(),
        errors = Vec::new(),
        expected_sequence_number = None,
        sending_application = None,
        sending_facility = None,
        accept_acknowledgment_type = String::new(),
        application_acknowledgment_type = String::new(),
        message_structure = String::new(),
        character_set = None,
        message_profile_identifier = String::new(),
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn new(
        code: &str,
        policy: &str,
        control_id: Option<String>,
        timestamp: Option<String>,
        text: String,
        errors: Vec<Py<ErrorDetail>>,
        expected_sequence_number: Option<i64>,
        sending_application: Option<String>,
        sending_facility: Option<String>,
        accept_acknowledgment_type: String,
        application_acknowledgment_type: String,
        message_structure: String,
        character_set: Option<String>,
        message_profile_identifier: String,
    ) -> PyResult<Self> {
        let policy = read_policy(policy)?;
        Ok(Ack {
            code: ack_code(code)?,
            policy,
            control_id,
            timestamp,
            text,
            errors,
            expected_sequence_number,
            sending_application,
            sending_facility,
            accept_acknowledgment_type,
            application_acknowledgment_type,
            message_structure,
            character_set,
            message_profile_identifier,
        })
    }

    /// MSA-1.
    #[getter]
    fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// `always` or `conformant`.
    #[getter]
    fn policy(&self) -> &'static str {
        match self.policy {
            Policy::Always => "always",
            Policy::Conformant => "conformant",
        }
    }

    /// The acknowledgment of a payload, unframed.
    ///
    /// With the policy `always` there is one for every payload. With `conformant` a payload without
    /// a usable header raises MessageError, and a positive answer to a batch or to a message without
    /// MSH-10 raises AckError. `code` and `policy` stand in for those of the acknowledgment, for a
    /// server that decides on them. `scan` is as for Message. With `local_time`, MSH-7 is local time with
    /// its offset, unless it is given.
    ///
    /// Texts are encoded in the character set that MSH-18 of the message names, or by the codec
    /// `encoding` where it names none that is known; MSH-18 of the acknowledgment says which. What the
    /// set lacks becomes `?`. Where the names in the message are not in `encoding` either, texts are
    /// ASCII, so that one acknowledgment never mixes two sets. UTF-16 and UTF-32 count as no name,
    /// because nothing in a frame can be in them. Raises LookupError for a codec that does not exist.
    #[pyo3(
        signature = (
            payload,
            *,
            code = None,
            policy = None,
            scan = ScanArgument(Scan::SingleByte),
            encoding = "utf-8",
            local_time = false,
        ),
        text_signature = "(self, payload, *, code=None, policy=None, scan='single_byte', \
            encoding='utf-8', local_time=False)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        payload: Input<'py>,
        code: Option<&str>,
        policy: Option<&str>,
        scan: ScanArgument,
        encoding: &str,
        local_time: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let code = code.map_or(Ok(self.code), ack_code)?;
        let policy = policy.map_or(Ok(self.policy), read_policy)?;
        let header = header_to_answer(&payload, policy, code, scan.0)?;
        let own = self.own_text(py, header.as_ref(), scan.0, encoding)?;
        let errors: Vec<_> = self.errors.iter().map(Py::get).collect();
        let texts = errors.iter().map(|error| own.all_bytes(py, error.texts()));
        let texts = texts.collect::<PyResult<Vec<_>>>()?;
        let errors: Vec<CoreDetail<'_>> =
            errors.iter().zip(&texts).map(|(error, texts)| error.core(texts)).collect();
        let mut id_buffer = [0; Simple::LENGTH];
        let control_id = self.control_id.as_deref();
        let control_id = control_id.unwrap_or_else(|| new_control_id(&mut id_buffer));
        let now = Stamp::new(policy, local_time).now();
        let timestamp = self.timestamp.as_deref().map_or(now.as_bytes(), str::as_bytes);
        let application = own.given(py, self.sending_application.as_deref())?;
        let facility = own.given(py, self.sending_facility.as_deref())?;
        let ack = Core {
            policy,
            scan: own.scan,
            text: &own.bytes(py, &self.text)?,
            errors: &errors,
            expected_sequence_number: self.expected_sequence_number,
            sending_application: application.as_deref(),
            sending_facility: facility.as_deref(),
            accept_acknowledgment_type: self.accept_acknowledgment_type.as_bytes(),
            application_acknowledgment_type: self.application_acknowledgment_type.as_bytes(),
            message_structure: self.message_structure.as_bytes(),
            character_set: own.label.as_deref().map(str::as_bytes),
            message_profile_identifier: self.message_profile_identifier.as_bytes(),
            ..Core::always(code, header.as_ref(), control_id.as_bytes(), timestamp)
        };
        encode(py, &ack)
    }

    /// The codec by which `encode` cannot express all texts of the acknowledgment; None where nothing
    /// becomes `?`. Costs next to nothing where the texts are ASCII.
    #[pyo3(
        signature = (payload, *, scan = ScanArgument(Scan::SingleByte), encoding = "utf-8"),
        text_signature = "(self, payload, *, scan='single_byte', encoding='utf-8')"
    )]
    fn not_encodable(
        &self,
        py: Python<'_>,
        payload: Input<'_>,
        scan: ScanArgument,
        encoding: &str,
    ) -> PyResult<Option<String>> {
        let texts = self.texts();
        if texts.iter().all(|text| text.is_ascii()) {
            return Ok(None);
        }
        let header = MessageHeader::parse_lenient_with(&payload, scan.0);
        let own = self.own_text(py, header.as_ref(), scan.0, encoding)?;
        Ok(own.is_lossy.then_some(own.codec))
    }

    /// The same acknowledgment for a message that must not be accepted, although it says so: with these
    /// errors, and without the texts and errors of its own, which are about an accepted message.
    fn refusing(&self, errors: Vec<Py<ErrorDetail>>) -> Ack {
        Ack {
            code: self.code,
            policy: self.policy,
            control_id: self.control_id.clone(),
            timestamp: self.timestamp.clone(),
            text: String::new(),
            errors,
            expected_sequence_number: self.expected_sequence_number,
            sending_application: self.sending_application.clone(),
            sending_facility: self.sending_facility.clone(),
            accept_acknowledgment_type: self.accept_acknowledgment_type.clone(),
            application_acknowledgment_type: self.application_acknowledgment_type.clone(),
            message_structure: self.message_structure.clone(),
            character_set: self.character_set.clone(),
            message_profile_identifier: self.message_profile_identifier.clone(),
        }
    }

    // Texts may quote a message: the code, nothing else.
    fn __repr__(&self) -> String {
        format!("Ack('{}')", self.code.as_str())
    }
}

impl Ack {
    /// How the texts are encoded, and MSH-18: by `character_set`, where that is given and what is copied
    /// of the message is in that set too.
    fn own_text(
        &self,
        py: Python<'_>,
        header: Option<&MessageHeader<'_>>,
        scan: Scan,
        encoding: &str,
    ) -> PyResult<OwnText> {
        let Some(names) = self.character_set.as_deref() else {
            return OwnText::choose(py, header, scan, &self.texts(), encoding);
        };
        let name = names.split('~').next().unwrap_or_default();
        let set = CharacterSet::from_name(name.as_bytes());
        let codec = set.and_then(CharacterSet::codec).unwrap_or(encoding);
        let fits = set.is_none_or(CharacterSet::allowed_in_mllp);
        if !(fits && copies_fit(py, header, names, codec)?) {
            return OwnText::choose(py, header, scan, &self.texts(), encoding);
        }
        let own = OwnText::choose(py, None, scan, &self.texts(), codec)?;
        Ok(OwnText { label: Some(names.to_owned()), ..own })
    }

    /// Everything that may be in another character set than ASCII.
    fn texts(&self) -> Vec<&str> {
        let given = [&self.sending_application, &self.sending_facility];
        let given = given.into_iter().flatten().map(String::as_str);
        let details = self.errors.iter().flat_map(|error| error.get().texts());
        given.chain(details).chain([&self.text[..]]).collect()
    }
}

/// The acknowledgment of a payload by the policy `always`, unframed.
///
/// Whatever the payload holds, there is one: what it lacks takes a default. Raises AckError for a
/// code outside table 0008. `scan` is as for Message, `encoding` as for `Ack.encode`. With `local_time`,
/// MSH-7 is local time with its offset, not UTC, unless it is given.
#[pyfunction]
#[pyo3(
    signature = (
        payload,
        code = "AA",
        *,
        control_id = None,
        timestamp = None,
        text = None,
        scan = ScanArgument(Scan::SingleByte),
        encoding = "utf-8",
        local_time = false,
    ),
    text_signature = "(payload, code='AA', *, control_id=None, timestamp=None, text=None, \
        scan='single_byte', encoding='utf-8', local_time=False)"
)]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
pub(crate) fn build_ack<'py>(
    py: Python<'py>,
    payload: Input<'py>,
    code: &str,
    control_id: Option<&str>,
    timestamp: Option<&str>,
    text: Option<&str>,
    scan: ScanArgument,
    encoding: &str,
    local_time: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let code = ack_code(code)?;
    let mut id_buffer = [0; Simple::LENGTH];
    let control_id = control_id.unwrap_or_else(|| new_control_id(&mut id_buffer));
    let now;
    let timestamp = match timestamp {
        Some(timestamp) => timestamp.as_bytes(),
        None => {
            now = Stamp::new(Policy::Always, local_time).now();
            now.as_bytes()
        }
    };
    let header = MessageHeader::parse_lenient_with(&payload, scan.0);
    let text = text.unwrap_or_default();
    let own = OwnText::choose(py, header.as_ref(), scan.0, &[text], encoding)?;
    let ack = Core {
        scan: own.scan,
        text: &own.bytes(py, text)?,
        character_set: own.label.as_deref().map(str::as_bytes),
        ..Core::always(code, header.as_ref(), control_id.as_bytes(), timestamp)
    };
    encode(py, &ack)
}

/// A time as MSH-7 has it, `YYYYMMDDHHMMSS`, with the offset `+ZZZZ` if one is given.
///
/// `seconds` count from 1970-01-01 UTC, without leap seconds; without them it is now.
/// `offset_minutes` are minutes east of Greenwich.
#[pyfunction]
#[pyo3(signature = (seconds = None, *, offset_minutes = None))]
pub(crate) fn timestamp(seconds: Option<i64>, offset_minutes: Option<i16>) -> String {
    let seconds = seconds.unwrap_or_else(unix_seconds);
    let timestamp = match offset_minutes {
        Some(minutes) => Timestamp::with_offset(seconds, minutes),
        None => Timestamp::utc(seconds),
    };
    String::from_utf8_lossy(timestamp.as_bytes()).into_owned()
}

pub(crate) fn read_policy(name: &str) -> PyResult<Policy> {
    match name {
        "always" => Ok(Policy::Always),
        "conformant" => Ok(Policy::Conformant),
        _ => Err(PyValueError::new_err(format!(
            "policy must be 'always' or 'conformant', not {name:?}"
        ))),
    }
}

pub(crate) fn ack_code(code: &str) -> PyResult<AckCode> {
    exactly(code).ok_or_else(bad_ack_code)
}

/// What a program says must be a code as it stands; only in a message trailing blanks are optional.
pub(crate) fn exactly(code: &str) -> Option<AckCode> {
    AckCode::ALL.into_iter().find(|it| it.as_str() == code)
}

/// The header of the message that is answered, if the policy has an answer to it.
fn header_to_answer(
    payload: &[u8],
    policy: Policy,
    code: AckCode,
    scan: Scan,
) -> PyResult<Option<MessageHeader<'_>>> {
    match policy {
        Policy::Always => Ok(MessageHeader::parse_lenient_with(payload, scan)),
        Policy::Conformant => {
            let message = Peek::parse_undoubled(payload, scan).map_err(message_error)?;
            if code.is_accept() && message.kind() == Kind::Batch {
                return Err(batch_accepted());
            }
            Ok(Some(message.header()))
        }
    }
}

/// Encodes on the stack where it fits, which is always but for very long fields.
fn encode<'py>(py: Python<'py>, ack: &Core<'_>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = [0; 512];
    if let Ok(len) = ack.encode(&mut out) {
        return Ok(PyBytes::new(py, out.get(..len).unwrap_or_default()));
    }
    let len = ack.encoded_len().map_err(ack_error)?;
    PyBytes::new_with(py, len, |out| ack.encode(out).map(|_| ()).map_err(ack_error))
}
