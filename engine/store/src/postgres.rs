//! The store in a schema of a PostgreSQL database, which several nodes may share.
//!
//! The tables are those of the other stores. What one process alone may rely on is done by rows and
//! their locks: a lane's tail gives places inside the transaction that uses them, every update of a
//! lane names its owner's epoch, and whether a message is final is found out under the lock of its
//! row. Locks are taken in one order, first all lanes by number and then messages by number, so two
//! nodes never wait for each other in a circle.
//!
//! Deadlines are the server's (`statement_timeout` and its kin): a call that is abandoned on this
//! side would leave its transaction open on the other.

mod failure;
mod insert;
mod lists;
mod lived;
mod read;
mod reopening;
mod retain;
mod schema;
mod search;
mod session;
mod write;

use std::ops::Range;

use mllp_pipeline::{BodyId, CommitOutcome, Head, LaneId, MessageId, Stamp, Transaction};

use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::retention::{Expiry, LastPass};
use failure::failed;
use read::PostgresReader;
use retain::Pass;
use session::Session;

/// A store in a schema of its own. Its calls block, so none may be made on a thread that drives a
/// tokio runtime.
pub struct PostgresStore {
    session: Session,
    /// The first number of a body of this life.
    first: BodyId,
    life: Stamp,
    pass: Option<Pass>,
}

impl PostgresStore {
    /// Opens the store of a schema, and makes both if they are not there. `parameters` is a
    /// connection string of libpq, such as `host=db user=engine dbname=hl7`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing in the database was changed.
    pub fn open(parameters: &str, schema: &str) -> Result<Self, StoreError> {
        let mut session = Session::new(parameters, schema)?;
        schema::migrate(&mut session)?;
        Ok(PostgresStore { session, first: BodyId(u64::MAX >> 1), life: Stamp(0), pass: None })
    }
}

impl Store for PostgresStore {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        let sql = "UPDATE store SET lives = lives + 1 RETURNING lives";
        let lives = self.session.run(async |client| client.query_one(sql, &[]).await);
        let life = lives.map_err(failed)?.get::<_, i64>(0) as u64;
        // Nodes live at the same time, so each life has a range of its own of every kind of number.
        let first = ((life - 1) << schema::LIFE_BITS) + 1;
        let stamp = Stamp(life << schema::LIFE_BITS);
        self.first = BodyId(first);
        Ok(Numbers { message: MessageId(first), body: BodyId(first), stamp })
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        self.life = life.stamp;
        lived::begin(&mut self.session, life)
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        lived::end(&mut self.session, self.life, at)
    }

    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        write::own(&mut self.session, lanes)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        self.session.run(async |client| read::heads(client, lanes).await).map_err(failed)
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        read::lanes(&mut self.session)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        write::commit(&mut self.session, transaction)
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        write::sweep(&mut self.session, bodies, self.first)
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        let going_on = self.pass.take().filter(|it| it.expiry == *expiry);
        let mut pass = going_on.unwrap_or_else(|| Pass::new(expiry));
        let more = pass.slice(&mut self.session)?;
        self.pass = more.then_some(pass);
        Ok(more)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        retain::last_pass(&mut self.session)
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        retain::keep_pass(&mut self.session, pass)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(PostgresReader::new(self.session.another()?)))
    }
}
