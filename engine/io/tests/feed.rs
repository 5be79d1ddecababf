//! Messages that a program submits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mllp_io::{
    CHUNK, Chunk, ContentType, Feed, FeedOptions, Gate, Incoming, Intake, Payload, Reply, Stored,
    Submitted, WHOLE,
};

const ADT: &[u8] = b"MSH|^~\\&|LAB|L|||20260101||ADT^A01|M1|P|2.5\rPID|1||4711\r";

/// Stores everything, and answers at once as it is told.
#[derive(Default)]
struct Store {
    messages: Mutex<Vec<(u128, bool, Vec<u8>)>>,
    chunks: Mutex<Vec<u8>>,
    given_up: AtomicU64,
    answer: Mutex<Option<Reply>>,
    loses_chunks: bool,
}

const STORED: Stored = Stored { message: 7, duplicate_of: None };

impl Intake for Store {
    fn received(&self, messages: &mut Vec<Incoming>) {
        for it in messages.drain(..) {
            let bytes = match &it.payload {
                Payload::Whole(bytes) => bytes.to_vec(),
                Payload::Stored { len, .. } => {
                    let chunks = self.chunks.lock().unwrap().clone();
                    assert_eq!(chunks.len() as u64, *len);
                    chunks
                }
            };
            self.messages.lock().unwrap().push((it.identity, it.accepted, bytes));
            match self.answer.lock().unwrap().clone() {
                Some(reply) => it.reply_to.answer_as(reply, Some(STORED)),
                None => drop(it.reply_to),
            }
        }
    }

    fn begin(&self) -> u64 {
        1
    }

    fn store(&self, chunk: Chunk) {
        if !self.loses_chunks {
            self.chunks.lock().unwrap().extend_from_slice(&chunk.bytes);
            chunk.stored();
        }
    }

    fn give_up(&self, body: u64) {
        self.given_up.fetch_add(body, Ordering::Relaxed);
    }
}

fn store(answer: Option<Reply>) -> Arc<Store> {
    Arc::new(Store { answer: Mutex::new(answer), ..Store::default() })
}

fn stores() -> Arc<Store> {
    store(Some(Reply::Acknowledgment(Arc::default())))
}

fn feed(store: &Arc<Store>, options: FeedOptions) -> Feed {
    Feed::new(options, Arc::clone(store) as _, Gate::new())
}

fn raw() -> FeedOptions {
    FeedOptions { content_type: ContentType::Any, ..FeedOptions::default() }
}

async fn submit(feed: &mut Feed, payload: &[u8]) -> Submitted {
    for part in payload.chunks(CHUNK) {
        feed.take(part).await;
    }
    feed.end().await
}

fn large() -> Vec<u8> {
    [ADT, &vec![b'x'; 3 * CHUNK]].concat()
}

#[tokio::test]
async fn what_is_submitted_is_told_as_what_it_was_stored() {
    let answers = [
        (Some(Reply::Acknowledgment(Arc::default())), Submitted::Stored(STORED)),
        (Some(Reply::NotDelivered), Submitted::NotDelivered(STORED)),
        (Some(Reply::NotStored), Submitted::NotStored),
        (Some(Reply::Close), Submitted::Unknown),
        (None, Submitted::Unknown),
    ];
    for (answer, expected) in answers {
        for payload in [ADT.to_vec(), large()] {
            let store = store(answer.clone());
            let submitted = submit(&mut feed(&store, FeedOptions::default()), &payload).await;
            assert_eq!(submitted, expected);
            let messages = store.messages.lock().unwrap();
            assert_eq!(messages.len(), 1);
            assert!(messages[0].1 && messages[0].2 == payload && messages[0].0 != 0);
        }
    }
}

#[tokio::test]
async fn what_is_no_hl7_is_refused_unless_the_feed_takes_any_bytes() {
    for payload in [b"ISA*00*".to_vec(), vec![7; WHOLE + CHUNK]] {
        let store = stores();
        let submitted = submit(&mut feed(&store, FeedOptions::default()), &payload).await;
        assert_eq!(submitted, Submitted::Refused(STORED));
        let mut taking = feed(&store, raw());
        store.chunks.lock().unwrap().clear();
        assert_eq!(submit(&mut taking, &payload).await, Submitted::Stored(STORED));
        store.chunks.lock().unwrap().clear();
        assert_eq!(submit(&mut taking, &payload).await, Submitted::Stored(STORED));
        store.chunks.lock().unwrap().clear();
        let other = [&payload[..], b"1"].concat();
        submit(&mut taking, &other).await;
        let identities: Vec<_> = store.messages.lock().unwrap().iter().map(|it| it.0).collect();
        assert!(identities[1] != 0 && identities[1] == identities[2], "the same bytes");
        assert_ne!(identities[1], identities[3]);
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_recorded_by_its_beginning() {
    for (limit, payload) in [(20, ADT.to_vec()), (2 * CHUNK, large())] {
        let store = stores();
        let options = FeedOptions { max_message: limit, ..raw() };
        let submitted = submit(&mut feed(&store, options), &payload).await;
        assert_eq!(submitted, Submitted::Refused(STORED));
        let messages = store.messages.lock().unwrap();
        let (identity, accepted, bytes) = &messages[0];
        assert!(*identity == 0 && !accepted && bytes.len() <= WHOLE && payload.starts_with(bytes));
        assert_eq!(store.given_up.load(Ordering::Relaxed), u64::from(limit > WHOLE));
    }
    let (store, options) = (stores(), FeedOptions { max_message: ADT.len(), ..raw() });
    let submitted = submit(&mut feed(&store, options), ADT).await;
    assert_eq!(submitted, Submitted::Stored(STORED), "as long as it may be");
}

#[tokio::test]
async fn nothing_is_kept_of_a_message_that_does_not_come_to_its_end() {
    for is_dropped in [true, false] {
        let store = stores();
        let mut feed = feed(&store, FeedOptions::default());
        for part in large().chunks(CHUNK) {
            feed.take(part).await;
        }
        if is_dropped {
            drop(feed)
        } else {
            feed.give_up()
        }
        assert_eq!(store.given_up.load(Ordering::Relaxed), 1);
        assert!(store.messages.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_large_message_with_a_lost_chunk_is_not_stored() {
    let store = Arc::new(Store { loses_chunks: true, ..Store::default() });
    let mut feed = feed(&store, FeedOptions::default());
    assert_eq!(submit(&mut feed, &large()).await, Submitted::NotStored);
    assert_eq!(submit(&mut feed, ADT).await, Submitted::Unknown, "the next one is a new one");
    assert_eq!(store.messages.lock().unwrap().len(), 1);
}
