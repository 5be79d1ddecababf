//! The messages of an engine that is stopped, or of a backup.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mllp_engine::{Ended, MessageId, Search};
use pyo3::prelude::*;

use crate::error::raised;
use crate::journey::Journey;
use crate::stored::{Found, MessageRecord};

/// The store of an engine that is stopped, or a backup, to be read.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Offline {
    offline: Mutex<mllp_engine::Offline>,
}

impl Offline {
    fn lock(&self) -> MutexGuard<'_, mllp_engine::Offline> {
        self.offline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Offline {
    #[new]
    fn new(py: Python<'_>, data: PathBuf) -> PyResult<Offline> {
        let offline = py.detach(|| mllp_engine::Offline::open(&data)).map_err(raised)?;
        Ok(Offline { offline: Mutex::new(offline) })
    }

    #[pyo3(signature = (control_id, *, before = None, limit = 100))]
    fn search(
        &self,
        py: Python<'_>,
        control_id: String,
        before: Option<u64>,
        limit: u32,
    ) -> PyResult<Found> {
        let search = Search { control_id: Some(control_id), ..Search::default() };
        py.detach(|| {
            let mut offline = self.lock();
            let found = offline.search(&search, before.map(MessageId), limit)?;
            let record = |it| MessageRecord::new(it, offline.inbound_of(it));
            let messages = found.messages.iter().map(record).collect();
            Ok(Found { messages, next: found.next.map(|it| it.0) })
        })
        .map_err(raised)
    }

    fn show(&self, py: Python<'_>, message: u64) -> PyResult<Option<(Journey, Receipt)>> {
        let shown = py.detach(|| self.lock().show(MessageId(message))).map_err(raised)?;
        Ok(shown.map(|(journey, receipt)| (Journey::from(journey), Receipt::from(receipt))))
    }

    fn expired(&self, py: Python<'_>, message: u64) -> PyResult<Option<u64>> {
        py.detach(|| self.lock().expired(MessageId(message))).map_err(raised)
    }

    fn expired_control_id(&self, py: Python<'_>, control_id: &str) -> PyResult<Option<u64>> {
        py.detach(|| self.lock().expired_control_id(control_id)).map_err(raised)
    }

    fn payload(&self, py: Python<'_>, message: u64) -> PyResult<Option<Vec<u8>>> {
        py.detach(|| self.lock().payload(MessageId(message))).map_err(raised)
    }
}

/// What proves that a message was received, and what became of it.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Receipt {
    message: u64,
    row: Option<u64>,
    inbound: String,
    sha256: Option<String>,
    acknowledgment: String,
    deliveries: Vec<DeliveryEnd>,
    text: String,
}

impl From<mllp_engine::Receipt> for Receipt {
    fn from(receipt: mllp_engine::Receipt) -> Receipt {
        let text = receipt.to_string();
        let mllp_engine::Receipt { message, row, inbound, sha256, acknowledgment, deliveries } =
            receipt;
        Receipt {
            message: message.0,
            row: row.map(|it| it.0),
            inbound,
            sha256,
            acknowledgment: String::from_utf8_lossy(&acknowledgment).into_owned(),
            deliveries: deliveries.into_iter().map(DeliveryEnd::from).collect(),
            text,
        }
    }
}

/// Where the deliveries of a message to an outbound have ended, or stand.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct DeliveryEnd {
    outbound: String,
    how: &'static str,
    at: u64,
    said: Option<String>,
}

impl From<Ended> for DeliveryEnd {
    fn from(Ended { outbound, how, at, said }: Ended) -> DeliveryEnd {
        DeliveryEnd { outbound, how, at, said: Some(said).filter(|it| !it.is_empty()) }
    }
}
