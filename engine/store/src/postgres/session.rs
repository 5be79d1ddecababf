//! One connection, opened again when it was lost, and the runtime that drives it.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::failure::is_lost;
use crate::error::StoreError;

/// How the server is told to end what takes too long, and to have a commit on its disk before it
/// answers. A pause inside a transaction means that this process is gone.
const SETTINGS: &str = "
    SET synchronous_commit = on;
    SET statement_timeout = '30s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '10s';
    SET client_min_messages = warning;";

/// A connection that is never gone after, but opened again by the call that needs it.
pub(super) struct Session {
    runtime: Runtime,
    config: Config,
    /// Quoted, as SQL takes it.
    schema: String,
    link: Option<Link>,
}

struct Link {
    client: Client,
    /// Moves bytes between client and socket, whenever a call drives the runtime.
    task: JoinHandle<()>,
}

impl Session {
    /// Nothing is connected yet.
    pub(super) fn new(parameters: &str, schema: &str) -> Result<Self, StoreError> {
        let parsed = parameters.parse::<Config>();
        let mut config = parsed.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // A server that has vanished without a word ends the connection, not the call.
        config.connect_timeout(Duration::from_secs(10)).tcp_user_timeout(Duration::from_secs(30));
        config.keepalives_idle(Duration::from_secs(10));
        let schema = format!("\"{}\"", schema.replace('"', "\"\""));
        Session::of(config, schema)
    }

    /// A second connection to the same place.
    pub(super) fn another(&self) -> Result<Self, StoreError> {
        Session::of(self.config.clone(), self.schema.clone())
    }

    fn of(config: Config, schema: String) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Session { runtime, config, schema, link: None })
    }

    /// The schema's name, quoted.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// Does some work on the connection, to its end.
    pub(super) fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let link = match self.link.take() {
            Some(link) => link,
            None => self.runtime.block_on(connect(&self.config, &self.schema))?,
        };
        let done = self.runtime.block_on(work(&link.client));
        match &done {
            Err(error) if is_lost(error) => self.close(link),
            _ => self.link = Some(link),
        }
        done
    }

    /// Lets go of the socket at once, so that the server gives its locks back.
    fn close(&self, link: Link) {
        link.task.abort();
        let _ = self.runtime.block_on(link.task);
    }
}

async fn connect(config: &Config, schema: &str) -> Result<Link, Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let task = tokio::spawn(async move {
        // The call that runs into the error tells of it.
        let _ = connection.await;
    });
    client.batch_execute(SETTINGS).await?;
    client.batch_execute(&format!("SET search_path = {schema}")).await?;
    Ok(Link { client, task })
}

/// Does some work in a transaction that is rolled back if it fails, and committed by the caller.
/// The transaction is ended before the call returns: nothing would drive the connection after it.
pub(super) async fn in_transaction<T>(
    client: &Client,
    work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
) -> Result<T, Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let done = work(client).await;
    if done.as_ref().is_err_and(|error| !is_lost(error)) {
        client.batch_execute("ROLLBACK").await?;
    }
    done
}
