//! Which segment a view means after others were inserted or deleted.

/// A change of the order of segments.
#[derive(Clone, Copy)]
pub(crate) enum Edit {
    /// There is a new segment at this index.
    Inserted(usize),
    /// The one at this index is gone.
    Deleted(usize),
}

/// Where the segment is that stood at `index` before these changes; `None` once it is deleted.
pub(crate) fn moved(index: usize, edits: &[Edit]) -> Option<usize> {
    edits.iter().try_fold(index, |index, edit| match *edit {
        Edit::Inserted(at) if at <= index => Some(index + 1),
        Edit::Deleted(at) if at == index => None,
        Edit::Deleted(at) if at < index => Some(index - 1),
        _ => Some(index),
    })
}
