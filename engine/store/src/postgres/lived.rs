//! The lives of the store. Nodes live at the same time, each with stamps of its own.

use mllp_pipeline::Stamp;
use tokio_postgres::Row;

use super::failure::failed;
use super::session::Session;
use crate::error::StoreError;
use crate::life::Life;

/// The life to which a stamp belongs.
pub(super) const OF: &str =
    "SELECT stamp, began_at, configuration, inbounds, after_crash FROM lived
     WHERE stamp <= $1 ORDER BY stamp DESC LIMIT 1";

/// A row of [`OF`].
pub(super) fn life(row: &Row) -> Life {
    let (stamp, began_at) = (row.get::<_, i64>(0) as u64, row.get::<_, i64>(1) as u64);
    let (configuration, after_crash) = (row.get(2), row.get(4));
    let inbounds = Life::inbounds_of(row.get(3));
    Life { stamp: Stamp(stamp), began_at, configuration, inbounds, after_crash }
}

pub(super) fn begin(session: &mut Session, life: &Life) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO lived SELECT $1, $2, $3, $4, coalesce((SELECT ended_at IS NULL FROM lived
         WHERE stamp < $1 ORDER BY stamp DESC LIMIT 1), false), NULL";
    let (stamp, at) = (life.stamp.0 as i64, life.began_at as i64);
    let inbounds = life.inbounds_text();
    let begun = session.run(async |client| {
        client.execute(sql, &[&stamp, &at, &life.configuration, &inbounds]).await
    });
    begun.map(drop).map_err(failed)
}

pub(super) fn end(session: &mut Session, stamp: Stamp, at: u64) -> Result<(), StoreError> {
    let sql = "UPDATE lived SET ended_at = $2 WHERE stamp = $1";
    let (stamp, at) = (stamp.0 as i64, at as i64);
    let ended = session.run(async |client| client.execute(sql, &[&stamp, &at]).await);
    ended.map(drop).map_err(failed)
}
