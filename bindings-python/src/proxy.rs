//! The header of the PROXY protocol.

use std::net::SocketAddr;

use mllp_link::{ProxyHeader as Core, ProxyOrigin};
use pyo3::prelude::*;

use crate::error::proxy_error;
use crate::input::Input;

/// A header of the PROXY protocol, version 1 or 2, with which a proxy names its client.
#[pyclass(module = "fastmllp", frozen)]
pub(crate) struct ProxyHeader(Core);

#[pymethods]
impl ProxyHeader {
    /// How many bytes the header takes. The bytes of the client follow.
    #[getter]
    fn length(&self) -> usize {
        self.0.len
    }

    /// The proxy has connected on its own, as a load balancer does to probe a server.
    #[getter]
    fn is_local(&self) -> bool {
        self.0.origin == ProxyOrigin::Local
    }

    /// Address and port of the client; None where the proxy names none.
    #[getter]
    fn source(&self) -> Option<(String, u16)> {
        match self.0.origin {
            ProxyOrigin::Client { source, .. } => Some(address(source)),
            ProxyOrigin::Local | ProxyOrigin::Unnamed => None,
        }
    }

    /// Address and port that the client connected to; None where the proxy names none.
    #[getter]
    fn destination(&self) -> Option<(String, u16)> {
        match self.0.origin {
            ProxyOrigin::Client { destination, .. } => Some(address(destination)),
            ProxyOrigin::Local | ProxyOrigin::Unnamed => None,
        }
    }

    fn __repr__(&self) -> String {
        let length = self.0.len;
        match self.0.origin {
            ProxyOrigin::Local => format!("ProxyHeader(length={length}, is_local=True)"),
            ProxyOrigin::Unnamed => format!("ProxyHeader(length={length})"),
            ProxyOrigin::Client { source, destination } => format!(
                "ProxyHeader(length={length}, source='{source}', destination='{destination}')"
            ),
        }
    }
}

fn address(address: SocketAddr) -> (String, u16) {
    (address.ip().to_string(), address.port())
}

/// Reads the header of the PROXY protocol from the first bytes of a connection: all that have come so
/// far. None: more bytes are needed, 107 in all for version 1 and 65,551 for version 2 at most.
///
/// Raises ProxyError, with the code no_proxy_header or bad_proxy_header, as soon as no header can be
/// expected any more. Expect a header only from proxies: a peer that connects directly can write any
/// address into it.
#[pyfunction]
pub(crate) fn parse_proxy_header(data: Input<'_>) -> PyResult<Option<ProxyHeader>> {
    Core::parse(&data).map(|header| header.map(ProxyHeader)).map_err(proxy_error)
}
