//! The tables and their version.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::failure::failed;
use super::session::{Session, in_transaction};
use crate::error::StoreError;

/// Each life has 2^40 numbers of each kind.
pub(super) const LIFE_BITS: u32 = 40;

const VERSION: i64 = 3;

/// `arrival` orders what different nodes write to one message, each with its own stamps.
const TABLES: &str = "
    CREATE TABLE store(
        version int8 NOT NULL,
        lives int8 NOT NULL,
        passed_at int8 NOT NULL DEFAULT 0,
        doubt int8
    );
    INSERT INTO store VALUES(1, 0);
    CREATE TABLE lane(
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stage int8 NOT NULL,
        name text NOT NULL,
        tail int8 NOT NULL DEFAULT 0,
        cursor int8 NOT NULL DEFAULT 0,
        sent_to int8 NOT NULL DEFAULT 0,
        epoch int8 NOT NULL DEFAULT 0,
        attempt int8 NOT NULL DEFAULT 0,
        due int8 NOT NULL DEFAULT 0,
        waited int8 NOT NULL DEFAULT 0,
        appended int8 NOT NULL DEFAULT 0,
        consumed int8 NOT NULL DEFAULT 0,
        UNIQUE(stage, name)
    ) WITH (fillfactor = 50);
    CREATE TABLE message(
        id int8 PRIMARY KEY,
        inbound int8 NOT NULL,
        received_at int8 NOT NULL,
        identity bytea,
        accepted bool NOT NULL,
        duplicate_of int8,
        control_id bytea NOT NULL,
        message_type bytea NOT NULL,
        acknowledgment bytea NOT NULL,
        chunks int8,
        len int8 NOT NULL,
        body bytea,
        session int8,
        original int8,
        indexed bytea,
        body_expired int8
    );
    CREATE TABLE expired(first int8 PRIMARY KEY, last int8 NOT NULL, at int8 NOT NULL);
    CREATE TABLE indexed(hash int8, message int8, PRIMARY KEY(hash, message));
    CREATE INDEX ON indexed(message);
    CREATE INDEX ON message(received_at);
    CREATE TABLE chunk(body int8, n int8, bytes bytea NOT NULL, PRIMARY KEY(body, n));
    CREATE TABLE unheld(body int8 PRIMARY KEY, begun timestamptz NOT NULL DEFAULT now());
    CREATE TABLE work(
        lane int8,
        seq int8,
        message int8 NOT NULL,
        sole bool NOT NULL,
        id_hash int8 NOT NULL,
        chunks int8,
        body bytea,
        keys bytea,
        hops int8 NOT NULL,
        body_lane int8,
        body_seq int8,
        len int8 NOT NULL,
        PRIMARY KEY(lane, seq)
    );
    CREATE INDEX ON work(message);
    CREATE TABLE done(lane int8, seq int8, PRIMARY KEY(lane, seq));
    CREATE TABLE started(
        lane int8,
        seq int8,
        attempt int8 NOT NULL,
        due int8 NOT NULL,
        waited int8 NOT NULL,
        PRIMARY KEY(lane, seq)
    );
    CREATE TABLE parked(lane int8, seq int8, PRIMARY KEY(lane, seq));
    CREATE TABLE part(
        message int8,
        stamp int8,
        added int8 NOT NULL,
        finished int8 NOT NULL,
        delivered int8 NOT NULL,
        failed int8 NOT NULL,
        PRIMARY KEY(message, stamp)
    );
    CREATE TABLE outcome(
        message int8,
        stamp int8,
        disposition int8 NOT NULL,
        at int8 NOT NULL,
        arrival int8 GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY(message, stamp)
    );
    CREATE TABLE dead(
        lane int8,
        seq int8,
        message int8 NOT NULL,
        why int8 NOT NULL,
        at int8 NOT NULL,
        PRIMARY KEY(lane, seq)
    );
    CREATE TABLE held(
        lane int8,
        seq int8,
        message int8 NOT NULL,
        why int8 NOT NULL,
        at int8 NOT NULL,
        PRIMARY KEY(lane, seq)
    );
    CREATE TABLE reopened(message int8 PRIMARY KEY);
    CREATE TABLE switch(
        lane int8,
        side int8,
        flow int8 NOT NULL,
        by text NOT NULL,
        at int8 NOT NULL,
        PRIMARY KEY(lane, side)
    );
    CREATE TABLE job(
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key text NOT NULL UNIQUE,
        what bytea NOT NULL,
        by text NOT NULL,
        at int8 NOT NULL,
        total int8 NOT NULL,
        done int8 NOT NULL,
        newer int8 NOT NULL,
        after_message int8 NOT NULL,
        after_lane int8 NOT NULL,
        after_seq int8 NOT NULL,
        has_ended bool NOT NULL
    );
    CREATE TABLE event(
        message int8,
        stamp int8,
        at int8 NOT NULL,
        kind int8 NOT NULL,
        lane int8 NOT NULL,
        number int8 NOT NULL,
        text bytea,
        arrival int8 GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY(message, stamp)
    );";

/// What the second version has that the first lacks.
const SECOND: &str = "
    ALTER TABLE message ADD COLUMN origin bytea;
    CREATE TABLE lived(
        stamp int8 PRIMARY KEY,
        began_at int8 NOT NULL,
        configuration text NOT NULL,
        inbounds text NOT NULL,
        after_crash bool NOT NULL,
        ended_at int8
    );
    UPDATE store SET version = 2;";

/// What the third version has that the second lacks.
const THIRD: &str = "
    CREATE TABLE expired_ids(
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at int8 NOT NULL,
        hashes int8[] NOT NULL
    );
    UPDATE store SET version = 3;";

/// Makes the tables if the schema has none, and adds what an older version lacks.
///
/// # Errors
///
/// [`StoreError`]: the store is newer than this program, is not ours, or cannot be made.
pub(super) fn migrate(session: &mut Session) -> Result<(), StoreError> {
    let schema = session.schema().to_owned();
    let mut version = session.run(async |client| make(client, &schema).await);
    // Somebody else may have made them at the same time.
    if version.as_ref().is_err_and(is_there) {
        version = session.run(async |client| make(client, &schema).await);
    }
    match version {
        Ok(version) if version > VERSION => Err(StoreError::Newer(version as u32)),
        Ok(_) => Ok(()),
        Err(error) if is_there(&error) => Err(StoreError::Foreign),
        Err(error) => Err(failed(error)),
    }
}

fn is_there(error: &Error) -> bool {
    let codes = [SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION];
    error.code().is_some_and(|code| codes.contains(code))
}

/// Returns the version of the store that is there by now.
async fn make(client: &Client, schema: &str) -> Result<i64, Error> {
    let found = client.query_one("SELECT to_regclass('store') IS NOT NULL", &[]).await?;
    if !found.get::<_, bool>(0) {
        in_transaction(client, async |client| {
            client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
            client.batch_execute(TABLES).await
        })
        .await?;
        client.batch_execute("COMMIT").await?;
    }
    let found = client.query_one("SELECT version FROM store", &[]).await?.get(0);
    if found >= VERSION {
        return Ok(found);
    }
    let version = in_transaction(client, async |client| {
        // Another node may add it at the same time.
        let sql = "SELECT version FROM store FOR UPDATE";
        let version: i64 = client.query_one(sql, &[]).await?.get(0);
        for (from, migration) in (1..).zip([SECOND, THIRD]) {
            if version <= from {
                client.batch_execute(migration).await?;
            }
        }
        Ok(version.max(VERSION))
    })
    .await?;
    client.batch_execute("COMMIT").await?;
    Ok(version)
}
