//! Synthetic messages of exact sizes, the same in every run.

/// Message control ID of every message.
pub const CONTROL_ID: &str = "MSG20261121000123";

/// A payload: an HL7 v2 message without framing.
pub struct Message {
    pub name: &'static str,
    pub payload: Vec<u8>,
}

impl Message {
    /// The payload between its framing bytes.
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = vec![0x0B];
        frame.extend_from_slice(&self.payload);
        frame.extend_from_slice(&[0x1C, 0x0D]);
        frame
    }
}

/// 250 bytes: a header, an event and a patient.
pub fn small() -> Message {
    let mut text = header("ADT^A08^ADT_A01", "");
    text += "EVN|A08|20261121093000\r";
    text += "PID|1||100123^^^MRN||DOE^JANE||19700101|F|||1 ELM ST^";
    finish("250B", text, 250)
}

/// 1,200 bytes: an admission.
pub fn adt() -> Message {
    let mut text = header("ADT^A01^ADT_A01", "|||AL|NE|USA|8859/1");
    text += "EVN|A01|20261121093000|||OPER01^ADMIT^CLERK|20261121092500\r\
        PID|1||100123^^^MRN^MR~900-11-2222^^^SSA^SS||DOE^JANE^Q^^MS||19700101|F||2106-3|\
        123 MAIN STREET^APT 4^SPRINGFIELD^IL^62701^USA^H||(217)555-0142^PRN^PH|\
        (217)555-0199^WPN^PH|EN|M|CHR|ACCT5550101||||N\r\
        PD1|||GENERAL PRACTICE^^12345|5551^WELBY^MARCUS^^^DR\r\
        NK1|1|DOE^JOHN^R|SPO^SPOUSE|123 MAIN STREET^APT 4^SPRINGFIELD^IL^62701|(217)555-0143\r\
        PV1|1|I|2000^2012^01^GENHOS||||004777^ATTEND^AARON^A^^DR|005888^REFER^RACHEL^^^DR||SUR||||\
        ADM|A0|004777^ATTEND^AARON^A|S|V1002233|||||||||||||||||||||||||20261121090000\r\
        AL1|1|DA|70618^PENICILLIN^RXNORM|SV|HIVES\r\
        AL1|2|FA|3718001^COW MILK^SCT|MO|GASTROINTESTINAL UPSET\r\
        DG1|1||K35.80^UNSPECIFIED ACUTE APPENDICITIS^I10||20261121|A\r\
        GT1|1||DOE^JOHN^R||123 MAIN STREET^APT 4^SPRINGFIELD^IL^62701|(217)555-0143\r\
        IN1|1|PPO1|ACME01|ACME INSURANCE COMPANY|PO BOX 1000^^CHICAGO^IL^60601||||GRP-";
    finish("ADT", text, 1_200)
}

/// 6,000 bytes: a result with forty observations.
pub fn oru() -> Message {
    let mut text = header("ORU^R01^ORU_R01", "|||AL|NE|USA|8859/1");
    text += "PID|1||100123^^^MRN^MR||DOE^JANE^Q^^MS||19700101|F|||123 MAIN STREET^^SPRINGFIELD^IL\r\
        PV1|1|I|2000^2012^01^GENHOS||||004777^ATTEND^AARON^A^^DR\r\
        ORC|RE|ORD448811|FIL448811||CM||||20261121080000\r\
        OBR|1|ORD448811|FIL448811|24323-8^COMPREHENSIVE METABOLIC PANEL^LN|||20261121073000|||\
        |||||||004777^ATTEND^AARON^A^^DR||||||20261121091500||CH|F\r";
    const TESTS: [&str; 8] = [
        "2345-7^GLUCOSE^LN||95|mg/dL|70-99",
        "3094-0^UREA NITROGEN^LN||14|mg/dL|7-20",
        "2160-0^CREATININE^LN||0.9|mg/dL|0.6-1.2",
        "2951-2^SODIUM^LN||140|mmol/L|136-145",
        "2823-3^POTASSIUM^LN||4.2|mmol/L|3.5-5.1",
        "2075-0^CHLORIDE^LN||102|mmol/L|98-107",
        "17861-6^CALCIUM^LN||9.4|mg/dL|8.6-10.3",
        "1751-7^ALBUMIN^LN||4.4|g/dL|3.5-5.0",
    ];
    for (at, test) in TESTS.iter().cycle().take(40).enumerate() {
        let analyser = "GENERAL LABORATORY^^^^^CLIA^XX^^^14D00001";
        let set = at + 1;
        // The last one stands open, so that the message ends in it at its exact size.
        let end = if set < 40 { "\r" } else { "" };
        text += &format!("OBX|{set}|NM|{test}|N|||F|||20261121084500|LAB2|{analyser}{end}");
    }
    finish("ORU", text, 6_000)
}

/// A report of `len` bytes: a header and one observation that holds a document in base64.
pub fn document(name: &'static str, len: usize) -> Message {
    let mut text = header("MDM^T02^MDM_T02", "");
    text += "EVN|T02|20261121093000\rPID|1||100123^^^MRN||DOE^JANE||19700101|F\r\
        TXA|1|CN|TX|20261121093000||||||||DOC556677||||||AU\r\
        OBX|1|ED|18842-5^DISCHARGE SUMMARY^LN||^application^pdf^Base64^";
    finish(name, text, len)
}

/// MSH-1 to MSH-12, and what follows them.
fn header(message_type: &str, rest: &str) -> String {
    format!(
        "MSH|^~\\&|ADTSYS|MAIN HOSPITAL|LABSYS|CENTRAL LAB|20261121093000||{message_type}|\
        {CONTROL_ID}|P|2.5.1{rest}\r"
    )
}

/// Fills the open last field and ends the last segment, at `len` bytes.
fn finish(name: &'static str, mut text: String, len: usize) -> Message {
    const FILLER: &[u8] = b"JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlcg";
    assert!(text.len() < len, "{name}: {} bytes before filling", text.len());
    let room = len - text.len() - 1;
    text.extend(FILLER.iter().cycle().take(room).map(|&byte| byte as char));
    text.push('\r');
    assert_eq!(text.len(), len);
    Message { name, payload: text.into_bytes() }
}
