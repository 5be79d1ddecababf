//! What a transaction says of messages: outcomes, parts, and work that an operator adds.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{Disposition, MessageId, Record, Reopened, Stamp};
use tokio_postgres::{Client, Error};

use super::insert::{Counted, Outcome};
use crate::codes;
use crate::sums::{self, Sums};

/// Outcomes and parts, with the messages that are reopened taken into account.
#[derive(Default)]
pub(super) struct Account {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) parts: Vec<Counted>,
    /// Messages with a part, each with what orders and dates its outcome.
    pub(super) last: BTreeMap<MessageId, (Stamp, u64)>,
    reopened: BTreeSet<MessageId>,
}

impl Account {
    /// Takes the records in order. Adding work to a message keeps out all that complete something, and the
    /// other way round: they have to know of each other.
    pub(super) async fn of(client: &Client, records: &[Record]) -> Result<Account, Error> {
        let mut account = Account::default();
        if records.iter().any(|it| matches!(it, Record::Reopened(_))) {
            client.batch_execute("LOCK TABLE reopened IN ACCESS EXCLUSIVE MODE").await?;
        }
        let completes = |it: &Record| match it {
            Record::Outcome { disposition, .. } => disposition.is_final(),
            Record::Part(_) | Record::Reopened(_) => true,
            _ => false,
        };
        if records.iter().any(completes) {
            let rows = client.query("SELECT message FROM reopened", &[]).await?;
            account.reopened =
                rows.iter().map(|row| MessageId(row.get::<_, i64>(0) as u64)).collect();
        }
        for record in records {
            account.take(client, record).await?;
        }
        Ok(account)
    }

    async fn take(&mut self, client: &Client, record: &Record) -> Result<(), Error> {
        match record {
            Record::Part(part) => {
                let sums = Sums::of(part, self.reopened.contains(&part.message));
                self.part(part.message, part.stamp, sums);
                self.last.insert(part.message, (part.stamp, part.at));
            }
            &Record::Outcome { message, stamp, disposition, at } => {
                if disposition.is_final() && self.reopened.contains(&message) {
                    self.part(message, stamp, sums::ended(disposition));
                    self.last.insert(message, (stamp, at));
                } else {
                    self.outcomes.push(Outcome { message, stamp, disposition, at });
                }
            }
            Record::Reopened(reopened) => self.reopen(client, reopened).await?,
            _ => {}
        }
        Ok(())
    }

    fn part(&mut self, message: MessageId, stamp: Stamp, sums: Sums) {
        self.parts.push(Counted { message, stamp, sums });
    }

    async fn reopen(&mut self, client: &Client, reopened: &Reopened) -> Result<(), Error> {
        let Reopened { message, stamp, at, .. } = *reopened;
        let sql = "SELECT EXISTS(SELECT 1 FROM part WHERE message = $1), (SELECT disposition
             FROM outcome WHERE message = $1 ORDER BY arrival DESC, stamp DESC LIMIT 1)";
        let row = client.query_one(sql, &[&(message.0 as i64)]).await?;
        let has_parts = row.get(0) || self.parts.iter().any(|it| it.message == message);
        let stored = row.get::<_, Option<i64>>(1).and_then(|code| codes::disposition(code).ok());
        let mut here = self.outcomes.iter().rev().filter(|it| it.message == message);
        let last = here.next().map(|it| it.disposition).or(stored);
        let begun = sums::begun(reopened, has_parts, last.unwrap_or(Disposition::Received));
        self.part(message, stamp, begun);
        let disposition = Disposition::Routed;
        self.outcomes.push(Outcome { message, stamp, disposition, at });
        if self.reopened.insert(message) {
            client.execute("INSERT INTO reopened VALUES($1)", &[&(message.0 as i64)]).await?;
        }
        Ok(())
    }

    /// The messages with a part that are reopened and not final.
    pub(super) fn open(&self) -> Vec<MessageId> {
        self.last.keys().filter(|it| self.reopened.contains(it)).copied().collect()
    }

    /// These have become final.
    pub(super) async fn close(
        &mut self,
        client: &Client,
        finals: &[(MessageId, Disposition)],
    ) -> Result<(), Error> {
        let ids: Vec<i64> = finals
            .iter()
            .filter(|(it, _)| self.reopened.remove(it))
            .map(|(it, _)| it.0 as i64)
            .collect();
        if !ids.is_empty() {
            client.execute("DELETE FROM reopened WHERE message = ANY($1)", &[&ids]).await?;
        }
        Ok(())
    }
}
