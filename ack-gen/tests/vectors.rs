//! `vectors/ack.json` (policy `conformant`) and `vectors/ack_always.json`, byte for byte.

use ack_gen::{Ack, AckCode, Error, ErrorCode, ErrorDetail, Location, Severity};
use hl7_peek::{Message, MessageHeader};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The vectors write bytes as Latin-1 characters.
fn bytes(value: &Value) -> Vec<u8> {
    value
        .as_str()
        .unwrap_or_default()
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn code(value: &Value) -> AckCode {
    AckCode::from_bytes(&bytes(value)).unwrap()
}

/// Encodes, and checks on the way that the length is known before and a short buffer is refused.
fn encoded(ack: &Ack<'_>) -> String {
    let len = ack.encoded_len().unwrap();
    let mut out = vec![0; len];
    assert_eq!(ack.encode(&mut out), Ok(len));
    assert_eq!(ack.encode(&mut vec![0; len - 1]), Err(Error::BufferTooSmall));
    latin1(&out)
}

#[test]
fn always() {
    for case in vectors("ack_always.json")["build"].as_array().unwrap() {
        let (inbound, text) = (bytes(&case["inbound"]), bytes(&case["text"]));
        let (now, control_id) = (bytes(&case["now"]), bytes(&case["control_id"]));
        let header = MessageHeader::parse_lenient(&inbound);
        let ack =
            Ack { text: &text, ..Ack::always(code(&case["code"]), header, &control_id, &now) };
        assert_eq!(encoded(&ack), case["ack"].as_str().unwrap(), "{}", case["id"]);
    }
}

/// The text arguments of one error of a vector, owned.
struct Owned {
    code: u64,
    severity: Vec<u8>,
    segment: Vec<u8>,
    numbers: Vec<u32>,
    application: Vec<Vec<u8>>,
    diagnostic: Vec<u8>,
    user_message: Vec<u8>,
}

impl Owned {
    fn read(error: &Value) -> Owned {
        let none = Vec::new();
        let location = error["loc"].as_array().unwrap_or(&none);
        Owned {
            code: error["code"].as_u64().unwrap(),
            severity: bytes(&error["severity"]),
            segment: location.first().map(bytes).unwrap_or_default(),
            numbers: location.iter().skip(1).map(|n| n.as_u64().unwrap() as u32).collect(),
            application: error["app"].as_array().unwrap_or(&none).iter().map(bytes).collect(),
            diagnostic: bytes(&error["diag"]),
            user_message: bytes(&error["user"]),
        }
    }

    fn detail(&self) -> ErrorDetail<'_> {
        let number = |at: usize| self.numbers.get(at).copied().unwrap_or(0);
        let application = |at: usize| self.application.get(at).map_or(&b""[..], |part| part);
        ErrorDetail {
            code: ErrorCode::from_number(self.code as u16).unwrap(),
            severity: Severity::from_bytes(&self.severity).unwrap_or_default(),
            location: Location {
                segment: &self.segment,
                occurrence: number(0),
                field: number(1),
                repetition: number(2),
                component: number(3),
                subcomponent: number(4),
            },
            application: [application(0), application(1), application(2)],
            diagnostic: &self.diagnostic,
            user_message: &self.user_message,
        }
    }
}

#[test]
fn conformant() {
    for case in vectors("ack.json")["build"].as_array().unwrap() {
        let id = &case["id"];
        let inbound = bytes(&case["inbound"]);
        let (now, control_id) = (bytes(&case["now"]), bytes(&case["control_id"]));
        let args = &case["args"];
        let (text, accept) = (bytes(&args["text"]), bytes(&args["accept_type"]));
        let own = |at: usize| args["app"][at].as_str().map(str::as_bytes);
        let none = Vec::new();
        let owned: Vec<Owned> =
            args["errors"].as_array().unwrap_or(&none).iter().map(Owned::read).collect();
        let errors: Vec<ErrorDetail> = owned.iter().map(Owned::detail).collect();
        let enhanced = args["phase"].as_str() == Some("application_enhanced");
        let message = Message::parse(&inbound).unwrap();
        let ack = Ack {
            text: &text,
            errors: &errors,
            expected_sequence_number: args["seq"].as_i64(),
            sending_application: own(0),
            sending_facility: own(1),
            accept_acknowledgment_type: &accept,
            application_acknowledgment_type: if enhanced { b"NE" } else { b"" },
            ..Ack::conformant(code(&case["code"]), message.header(), &control_id, &now)
        };
        let bytes = encoded(&ack);
        assert_eq!(bytes, case["ack"].as_str().unwrap(), "{id}");
    }
}

#[test]
fn conformant_needs_a_header() {
    let ack = Ack {
        policy: ack_gen::Policy::Conformant,
        ..Ack::always(AckCode::AE, None, b"1", b"20260101")
    };
    assert_eq!(ack.encode(&mut [0; 256]), Err(Error::NoHeader));
}
