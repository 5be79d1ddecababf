//! What becomes of messages that are sent.

use super::*;

struct Initiator {
    state: State<mllp_initiator_t>,
    _memory: Vec<u8>,
}

impl Initiator {
    fn new(rules: &str) -> Initiator {
        Initiator::with_window(rules, 1)
    }

    fn with_window(rules: &str, window: usize) -> Initiator {
        let mut list = State::zeroed();
        let status = unsafe { mllp_rules_parse(list.get(), rules.as_ptr(), rules.len()) };
        assert_eq!(status, MLLP_OK);
        let config = mllp_initiator_config_t {
            rules: list.get(),
            window,
            ..mllp_initiator_config_default()
        };
        let (mut state, mut memory) = (State::zeroed(), vec![0xA5; 4096]);
        let (at, len) = (memory.as_mut_ptr(), memory.len());
        let status = unsafe { mllp_initiator_init(state.get(), &config, at, len) };
        assert_eq!(status, MLLP_OK);
        Initiator { state, _memory: memory }
    }

    fn get(&mut self) -> *mut mllp_initiator_t {
        self.state.get()
    }

    fn submit(&mut self, payload: &[u8]) -> (mllp_status_t, mllp_handle_t) {
        out!(mllp_initiator_submit(self.get(), payload.as_ptr(), payload.len(), 0))
    }

    fn next_to_send(&mut self, now: u64) -> (mllp_status_t, mllp_handle_t) {
        out!(mllp_initiator_next_to_send(self.get(), now))
    }

    fn event(&mut self, now: u64) -> mllp_initiator_event_t {
        let (status, event): (_, mllp_initiator_event_t) =
            out!(mllp_initiator_next_event(self.get(), now));
        assert_eq!(status == MLLP_OK, event.kind != MLLP_LINK_NONE);
        event
    }

    fn receive(&mut self, reply: &[u8]) {
        let reply = frame(reply);
        let (status, taken) =
            out!(mllp_initiator_receive(self.get(), reply.as_ptr(), reply.len(), 0));
        assert_eq!((status, taken), (MLLP_OK, reply.len()));
    }
}

#[test]
fn submission_is_checked() {
    let mut initiator = Initiator::new("");
    assert_eq!(initiator.submit(b"\x1c\r").0, MLLP_ERR_RESERVED_BYTE);
    let long = message(&"x".repeat(MLLP_INITIATOR_ID + 1));
    assert_eq!(initiator.submit(&long).0, MLLP_ERR_ID_TOO_LONG);
    assert_eq!(initiator.submit(&message("M0")), (MLLP_OK, 0));
    assert_eq!(initiator.submit(&message("M0")).0, MLLP_ERR_ID_IN_USE);
    for at in 1..MLLP_INITIATOR_WINDOW as u32 {
        assert_eq!(initiator.submit(&message(&format!("M{at}"))), (MLLP_OK, at));
    }
    assert_eq!(initiator.submit(&message("one more")).0, MLLP_ERR_FULL);
    let get = initiator.get();
    unsafe {
        assert_eq!(mllp_initiator_withdraw(get, 3), MLLP_OK);
        assert_eq!(mllp_initiator_withdraw(get, 3), MLLP_NOT_FOUND);
        assert_eq!(mllp_initiator_open_messages(get), MLLP_INITIATOR_WINDOW - 1);
    }
}

#[test]
fn connection_is_asked_for_and_backed_off() {
    let mut initiator = Initiator::new("");
    let get = initiator.get();
    unsafe {
        assert_eq!(mllp_initiator_next_deadline(get), MLLP_NEVER);
        assert_eq!(initiator.submit(&message("M1")).0, MLLP_OK);
        assert_eq!(mllp_initiator_wants_connection(get, 0), 1);
        assert_eq!(initiator.next_to_send(0).0, MLLP_NOT_FOUND);
        assert_eq!(mllp_initiator_connect_failed(get, 0), MLLP_OK);
        assert_eq!(mllp_initiator_wants_connection(get, 999), 0);
        assert_eq!(mllp_initiator_next_deadline(get), 1000);
        assert_eq!(mllp_initiator_wants_connection(get, 1000), 1);
    }
}

#[test]
fn missing_reply_is_retried() {
    let mut initiator = Initiator::new("");
    let (_, handle) = initiator.submit(&message("M1"));
    let get = initiator.get();
    unsafe {
        assert_eq!(mllp_initiator_connected(get), MLLP_OK);
        assert_eq!(initiator.next_to_send(0), (MLLP_OK, handle));
        assert_eq!(mllp_initiator_sent(get, handle, 0), MLLP_OK);
        assert_eq!(mllp_initiator_withdraw(get, handle), MLLP_NOT_FOUND);
        assert_eq!(mllp_initiator_next_deadline(get), 10_000);
        initiator.receive(b"MSH|^~\\&|LAB\rMSA|AA|other\r");
        let event = initiator.event(0);
        assert_eq!((event.kind, event.stray), (MLLP_LINK_STRAY, MLLP_STRAY_FOREIGN));
        assert!(bytes(event.reply).ends_with(b"MSA|AA|other\r"));
        assert_eq!(mllp_initiator_on_time(get, 10_000), MLLP_OK);
    }
    let event = initiator.event(10_000);
    assert_eq!((event.kind, event.handle, event.at), (MLLP_LINK_RETRY, handle, 11_000));
    assert_eq!(event.verdict.reply, MLLP_REPLY_WRONG_ID);
    assert!(event.reply.data.is_null());
    assert_eq!(initiator.event(10_000).kind, MLLP_LINK_RECONNECT);
}

#[test]
fn rule_suspends_the_link() {
    let mut initiator = Initiator::new("AE=suspend");
    let (_, first) = initiator.submit(&message("M1"));
    let (_, second) = initiator.submit(&message("M2"));
    let get = initiator.get();
    unsafe {
        assert_eq!(mllp_initiator_connected(get), MLLP_OK);
        assert_eq!(initiator.next_to_send(0), (MLLP_OK, first));
        assert_eq!(mllp_initiator_sent(get, first, 0), MLLP_OK);
        initiator.receive(b"MSH|^~\\&|LAB\rMSA|AE|M1\r");
        let event = initiator.event(0);
        assert_eq!((event.kind, event.handle), (MLLP_LINK_VERDICT, first));
        assert_eq!((event.verdict.action, event.verdict.rule), (MLLP_ACTION_SUSPEND, 1));
        assert_eq!(mllp_initiator_is_suspended(get), 1);
        assert_eq!(initiator.next_to_send(0).0, MLLP_NOT_FOUND);
        assert_eq!(mllp_initiator_resume(get), MLLP_OK);
        assert_eq!(mllp_initiator_is_suspended(get), 0);
        assert_eq!(initiator.next_to_send(0), (MLLP_OK, second));
        assert_eq!(mllp_initiator_disconnected(get, 0), MLLP_OK);
    }
    let event = initiator.event(0);
    assert_eq!((event.kind, event.handle), (MLLP_LINK_RETRY, second));
    assert_eq!(event.verdict.reply, MLLP_REPLY_NO_REPLY);
}

#[test]
fn messages_leave_together() {
    let mut initiator = Initiator::with_window("", 2);
    let handles = ["M1", "M2", "M3"].map(|id| initiator.submit(&message(id)).1);
    let get = initiator.get();
    let along = || out!(mllp_initiator_next_to_send_along(get, 0));
    assert_eq!(unsafe { mllp_initiator_connected(get) }, MLLP_OK);
    assert_eq!(initiator.next_to_send(0), (MLLP_OK, handles[0]));
    assert_eq!(initiator.next_to_send(0).0, MLLP_NOT_FOUND);
    assert_eq!(along(), (MLLP_OK, handles[1]));
    assert_eq!(along().0, MLLP_NOT_FOUND);
}
