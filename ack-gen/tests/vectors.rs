//! `vectors/ack.json` (policy `conformant`) and `vectors/ack_always.json`, byte for byte.

use ack_gen::{
    AcceptLists, Ack, AckCode, Decision, Error, ErrorCode, ErrorDetail, Inbound, Location, Mode,
    Outcome, Phase, Receipt, Request, SequenceAnswer, SequenceReceiver, Severity, check,
};
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
        let inbound = bytes(&case["inbound"]);
        let (now, control_id) = (bytes(&case["now"]), bytes(&case["control_id"]));
        let header = MessageHeader::parse_lenient(&inbound);
        let (text, own) = (utf8(&case["text"]), Own::read(&case["args"]));
        let ack = Ack {
            text: &text,
            ..own.given(Ack::always(code(&case["code"]), header.as_ref(), &control_id, &now))
        };
        assert_eq!(encoded(&ack), case["ack"].as_str().unwrap(), "{}", case["id"]);
    }
}

/// What is text in the vectors goes out as UTF-8.
fn utf8(value: &Value) -> Vec<u8> {
    value.as_str().unwrap_or_default().as_bytes().to_vec()
}

/// The fields of MSH that a vector gives, owned.
struct Own {
    structure: Vec<u8>,
    character_set: Option<Vec<u8>>,
    profile: Vec<u8>,
}

impl Own {
    fn read(args: &Value) -> Own {
        Own {
            structure: utf8(&args["structure"]),
            character_set: args["charset"].as_str().map(|set| set.as_bytes().to_vec()),
            profile: utf8(&args["profile"]),
        }
    }

    fn given<'a>(&'a self, ack: Ack<'a>) -> Ack<'a> {
        Ack {
            message_structure: &self.structure,
            character_set: self.character_set.as_deref(),
            message_profile_identifier: &self.profile,
            ..ack
        }
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
            diagnostic: utf8(&error["diag"]),
            user_message: utf8(&error["user"]),
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
        let (text, accept) = (utf8(&args["text"]), bytes(&args["accept_type"]));
        let fields = Own::read(args);
        let own = |at: usize| args["app"][at].as_str().map(str::as_bytes);
        let none = Vec::new();
        let owned: Vec<Owned> =
            args["errors"].as_array().unwrap_or(&none).iter().map(Owned::read).collect();
        let errors: Vec<ErrorDetail> = owned.iter().map(Owned::detail).collect();
        let enhanced = args["phase"].as_str() == Some("application_enhanced");
        let header = Message::parse(&inbound).unwrap().header();
        let ack = Ack {
            text: &text,
            errors: &errors,
            expected_sequence_number: args["seq"].as_i64(),
            sending_application: own(0),
            sending_facility: own(1),
            accept_acknowledgment_type: &accept,
            application_acknowledgment_type: if enhanced { b"NE" } else { b"" },
            ..fields.given(Ack::conformant(code(&case["code"]), &header, &control_id, &now))
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

fn outcome(value: &Value) -> Outcome {
    match value.as_str().unwrap() {
        "accept" => Outcome::Accept,
        "error" => Outcome::Error,
        "reject" => Outcome::Reject,
        other => panic!("unknown outcome {other}"),
    }
}

fn expected(case: &Value) -> Decision {
    let code = |value: &Value| value.as_str().map(|_| code(value));
    Decision {
        mode: if case["mode"] == "original" { Mode::Original } else { Mode::Enhanced },
        accept: code(&case["accept_ack"]),
        application: code(&case["application_ack"]),
    }
}

fn request(case: &Value, inbound: Inbound) -> Request {
    let condition = |value: &Value| ack_gen::Condition::from_field(&bytes(value));
    let (accept, application) = (condition(&case["msh15"]), condition(&case["msh16"]));
    Request { accept, application, inbound }
}

#[test]
fn decisions() {
    let vectors = vectors("ack.json");
    let all = ["decision", "decision_edge", "decision_response"];
    for case in all.iter().flat_map(|name| vectors[name].as_array().unwrap()) {
        let msa_1 = case["inbound_msa1"].as_str().map(str::as_bytes);
        let outcome = outcome(&case["outcome"]);
        let request = request(case, Inbound::from_msa(msa_1));
        assert_eq!(request.decide(outcome, outcome), expected(case), "{case}");

        // Exactly one reply to every message, at the level of the table where that has one.
        let reply = request.always_one_reply(outcome, outcome);
        let application = AckCode::new(Phase::Application, outcome);
        let one = match request.inbound {
            Inbound::Message => Some(expected(case).accept.unwrap_or(application)),
            _ => None,
        };
        assert_eq!(reply, one, "{case}");
    }
}

#[test]
fn header_checks() {
    let vectors = vectors("ack.json");
    let lists: Vec<Vec<Vec<u8>>> = ["types", "versions", "processing"]
        .iter()
        .map(|name| vectors["accept_lists"][name].as_array().unwrap().iter().map(bytes).collect())
        .collect();
    let lists: Vec<Vec<&[u8]>> =
        lists.iter().map(|list| list.iter().map(Vec::as_slice).collect()).collect();
    let lists = AcceptLists {
        message_types: Some(&lists[0]),
        versions: Some(&lists[1]),
        processing_ids: Some(&lists[2]),
    };
    for case in vectors["validate"].as_array().unwrap() {
        let inbound = bytes(&case["inbound"]);
        let message = Message::parse(&inbound).unwrap();
        let header = message.header();
        let errors = check(&header, Receipt::default(), &lists);
        let owned: Vec<Owned> =
            case["errors"].as_array().unwrap().iter().map(Owned::read).collect();
        let expect: Vec<ErrorDetail> = owned.iter().map(Owned::detail).collect();
        assert_eq!(errors.as_slice(), expect, "{}", case["id"]);

        let request = Request::new(&header, Inbound::Message);
        let decision = match errors.outcome() {
            Outcome::Accept => request.decide(Outcome::Accept, Outcome::Accept),
            refusal => request.refuse(refusal),
        };
        assert_eq!(decision, expected(case), "{}", case["id"]);
    }
}

#[test]
fn sequence_numbers() {
    for case in vectors("ack.json")["sequence"].as_array().unwrap() {
        let mut receiver = SequenceReceiver { expected: case["expected"].as_i64() };
        let number =
            case["msh13"].as_str().map_or_else(|| case["msh13"].to_string(), str::to_owned);
        let expect = SequenceAnswer {
            fits: case["code"] == "AA",
            expected_sequence_number: case["msa4"].as_i64().unwrap(),
        };
        assert_eq!(receiver.receive(number.as_bytes()), expect, "{case}");
        assert_eq!(receiver.expected, case["new_expected"].as_i64(), "{case}");
    }
}

#[test]
fn tables() {
    let tables = vectors("tables.json");
    let table = tables["0357"].as_object().unwrap();
    assert_eq!(table.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let row = &table[&code.number().to_string()];
        assert_eq!(row["text"], code.text());
        let class = match code.outcome() {
            Outcome::Accept => "success",
            Outcome::Error => "error",
            Outcome::Reject => "reject",
        };
        assert_eq!(row["class"], class, "{code:?}");
    }
    let codes: Vec<&str> = AckCode::ALL.iter().map(|code| code.as_str()).collect();
    let table: Vec<&String> = tables["0008"].as_object().unwrap().keys().collect();
    assert_eq!(codes, table);
    for letter in tables["0516"].as_object().unwrap().keys() {
        assert_eq!(Severity::from_bytes(letter.as_bytes()).unwrap().as_str(), letter);
    }
}
