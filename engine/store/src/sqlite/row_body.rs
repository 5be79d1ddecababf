//! The bodies that handlers send, in a table that grows at its end alone: among the rows of lanes a
//! body would split pages.
//!
//! A handler changes little of what it was given. What its body has in common with that of its
//! message, at the beginning and at the end, is not written a second time. A body of a row is never
//! kept longer than that of its message.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ffi};

/// Less than this in common is written again: to leave it out saves nothing.
const WORTHWHILE: usize = 64;

/// The tables that [`read`] needs, for rows of `work`.
pub(super) const TABLES: &str = "LEFT JOIN row_body ON row_body.id = work.row_body
     LEFT JOIN message ON message.id = work.message AND kept_before + kept_after > 0";

/// The columns that [`read`] takes, which come first.
pub(super) const COLUMNS: &str =
    "coalesce(work.body, row_body.bytes), kept_before, kept_after, message.body";

/// Writes bodies.
pub(super) struct RowBodies<'a> {
    of_message: CachedStatement<'a>,
    insert: CachedStatement<'a>,
}

impl<'a> RowBodies<'a> {
    pub(super) fn new(open: &'a Connection) -> rusqlite::Result<Self> {
        Ok(RowBodies {
            of_message: open.prepare_cached("SELECT body FROM message WHERE id = ?1")?,
            insert: open.prepare_cached(
                "INSERT INTO row_body(bytes, kept_before, kept_after) VALUES(?1, ?2, ?3)",
            )?,
        })
    }

    /// Writes the body of a row that is about this message. Returns its number.
    pub(super) fn insert(&mut self, message: i64, body: &[u8]) -> rusqlite::Result<i64> {
        let common = |row: &Row<'_>| {
            let of_message = row.get_ref(0)?.as_blob_or_null()?;
            Ok(in_common(of_message.unwrap_or_default(), body))
        };
        let kept = self.of_message.query_row((message,), common).optional()?;
        let (before, after) =
            kept.filter(|(before, after)| before + after >= WORTHWHILE).unwrap_or_default();
        let bytes = &body[before..body.len() - after];
        self.insert.insert((bytes, before as i64, after as i64))
    }
}

/// How many bytes two bodies have in common at the beginning, and of the rest at the end.
fn in_common(one: &[u8], other: &[u8]) -> (usize, usize) {
    let (one_chunks, other_chunks) = (one.chunks(32), other.chunks(32));
    let whole = one_chunks.zip(other_chunks).take_while(|(one, other)| one == other);
    let from = whole.map(|(chunk, _)| chunk.len()).sum::<usize>();
    let same = |(one, other): &(&u8, &u8)| one == other;
    let before = from + one[from..].iter().zip(&other[from..]).take_while(same).count();
    let (one, other) = (&one[before..], &other[before..]);
    let (one_chunks, other_chunks) = (one.rchunks(32), other.rchunks(32));
    let whole = one_chunks.zip(other_chunks).take_while(|(one, other)| one == other);
    let up_to = whole.map(|(chunk, _)| chunk.len()).sum::<usize>();
    let (one, other) = (&one[..one.len() - up_to], &other[..other.len() - up_to]);
    let after = up_to + one.iter().rev().zip(other.iter().rev()).take_while(same).count();
    (before, after)
}

/// The body of a row; `None`: it has none here, or that of its message has expired.
///
/// # Errors
///
/// The body of its message is too short: the store is damaged.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(bytes) = row.get_ref(0)?.as_blob_or_null()? else { return Ok(None) };
    let kept = |at| row.get::<_, Option<i64>>(at).map(|it| it.unwrap_or(0) as usize);
    let (before, after) = (kept(1)?, kept(2)?);
    if before + after == 0 {
        return Ok(Some(bytes.to_vec()));
    }
    let Some(of_message) = row.get_ref(3)?.as_blob_or_null()? else { return Ok(None) };
    let from = of_message.len().checked_sub(after);
    match (of_message.get(..before), from.and_then(|from| of_message.get(from..))) {
        (Some(before), Some(after)) => Ok(Some([before, bytes, after].concat())),
        _ => {
            let damaged = ffi::Error::new(ffi::SQLITE_CORRUPT);
            Err(rusqlite::Error::SqliteFailure(damaged, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_common;

    #[test]
    fn what_two_bodies_have_in_common_makes_each_of_them() {
        let long: Vec<u8> = (0..200).collect();
        let changed = |at: usize, with: &[u8]| [&long[..at], with, &long[at + 1..]].concat();
        for (one, other, expected) in [
            (vec![], vec![], (0, 0)),
            (long.clone(), vec![], (0, 0)),
            (long.clone(), long.clone(), (200, 0)),
            (long.clone(), long[..100].to_vec(), (100, 0)),
            (long.clone(), long[100..].to_vec(), (0, 100)),
            (long.clone(), changed(70, b"LAB"), (70, 129)),
            (long.clone(), changed(0, b""), (0, 199)),
            (long.clone(), changed(199, b"x"), (199, 0)),
            // What is repeated at the place of the change belongs to one end alone.
            (b"aaaa".to_vec(), b"aaaaaa".to_vec(), (4, 0)),
            (b"aba".to_vec(), b"ababa".to_vec(), (3, 0)),
        ] {
            assert_eq!(in_common(&one, &other), expected);
            assert_eq!(in_common(&other, &one), expected);
        }
    }
}
