//! Events as frozen classes, whose fields a `match` takes by position or by name; those of a stream.

use mllp_core::{Counters, Deviations};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString, PyTuple};

/// A class for one kind of event.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[pyclass(module = "fastmllp", frozen, get_all)]
        pub(crate) struct $name {
            $($(#[$about])* pub(crate) $field: $kind,)*
        }

        #[pymethods]
        impl $name {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, pyo3::types::PyTuple>> {
                const NAMES: &[&str] = &[$(stringify!($field)),*];
                pyo3::types::PyTuple::new(py, NAMES)
            }

            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                $crate::event::shown(slf)
            }
        }
    };
}

pub(crate) use event;

event! {
    /// A complete frame.
    Frame {
        /// Stream offset of the start block.
        offset: u64,
        /// What the frame holds.
        payload: Py<PyBytes>,
        /// What the payload is: `content`, `empty`, `commit_ack` or `commit_nak`.
        kind: &'static str,
        /// Where the sender left the grammar, by name.
        deviations: Names,
    }
}

event! {
    /// The sender left the grammar after a frame that had already been delivered.
    Deviation {
        /// What the sender did, by name.
        code: &'static str,
        /// Stream offset of the byte that showed it.
        offset: u64,
    }
}

event! {
    /// A frame was lost.
    Fault {
        /// Why, by name.
        code: &'static str,
        /// Stream offset of the byte that showed it.
        offset: u64,
    }
}

event! {
    /// Bytes that are in no frame.
    Discard {
        /// Stream offset of the first of them.
        offset: u64,
        /// How many they are.
        length: u64,
        /// Why they are in no frame, by name.
        why: &'static str,
        /// Whether they are nothing but line ends, blanks and the like: padding, not data.
        is_blank: bool,
    }
}

impl From<mllp_core::Discard> for Discard {
    fn from(discard: mllp_core::Discard) -> Discard {
        let mllp_core::Discard { offset, len, why, blank } = discard;
        Discard { offset, length: len, why: why.name(), is_blank: blank }
    }
}

/// What is unusual about a frame, and about the message in it.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub(crate) frame: Deviations,
    pub(crate) message: &'static [&'static str],
}

impl Names {
    pub(crate) fn is_empty(self) -> bool {
        self.frame.is_empty() && self.message.is_empty()
    }
}

impl<'py> IntoPyObject<'py> for Names {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        if self.is_empty() {
            return Ok(PyTuple::empty(py));
        }
        let frame = self.frame.iter().map(|deviation| deviation.name());
        let names: Vec<_> = frame.chain(self.message.iter().copied()).collect();
        PyTuple::new(py, names)
    }
}

/// What each giver of events gives, as a type.
pub(crate) fn add_unions(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let stream = ["Deviation", "Fault", "Discard"];
    let decoder = ["Frame"];
    let responder = [
        "Arrived",
        "TooLarge",
        "Unusual",
        "Returned",
        "Raised",
        "Commit",
        "OtherProtocol",
        "AnswersLost",
        "Closing",
    ];
    let initiator = ["Verdict", "Retry", "Stored", "Stray", "Reconnect"];
    let unions: [(&str, &[&str]); 3] = [
        ("DecoderEvent", &decoder),
        ("ResponderEvent", &responder),
        ("InitiatorEvent", &initiator),
    ];
    for (name, own) in unions {
        let mut union = module.getattr("Deviation")?;
        for class in own.iter().chain(&stream) {
            union = union.bitor(module.getattr(*class)?)?;
        }
        module.add(name, union)?;
    }
    Ok(())
}

pub(crate) fn counters<'py>(py: Python<'py>, counters: &Counters) -> PyResult<Bound<'py, PyDict>> {
    let entries = PyDict::new(py);
    for (name, count) in counters.entries() {
        entries.set_item(name, count)?;
    }
    Ok(entries)
}

/// An event with its fields. Payloads are health data: the length, never the bytes; and of what is the
/// program's own, such as an exception, the class.
pub(crate) fn shown(event: &Bound<'_, PyAny>) -> PyResult<String> {
    let class = event.get_type();
    let mut fields = Vec::new();
    for name in class.getattr("__match_args__")?.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        let value = event.getattr(&name)?;
        let value = if let Ok(bytes) = value.cast::<PyBytes>() {
            format!("<{} bytes>", bytes.as_bytes().len())
        } else if is_plain(&value) {
            value.repr()?.to_string()
        } else {
            format!("<{}>", value.get_type().name()?)
        };
        fields.push(format!("{name}={value}"));
    }
    Ok(format!("{}({})", class.name()?, fields.join(", ")))
}

fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyTuple>()
}
