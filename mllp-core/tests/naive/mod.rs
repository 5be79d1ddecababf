//! The profiles once more, by searching a whole stream from the left: at most 40 lines each, no
//! state machine, nothing shared with the crate.

use crate::support::Seen;

const SB: u8 = 0x0B;
const EB: u8 = 0x1C;
const CR: u8 = 0x0D;
const LF: u8 = 0x0A;

/// A stream as it is known so far.
pub struct Stream<'s> {
    pub bytes: &'s [u8],
    /// Whether the line was idle after that many bytes.
    pub idle: &'s [bool],
    pub eof: bool,
    pub max: usize,
}

impl Stream<'_> {
    /// Where a byte is, from a position on; the length of the stream if it is not there.
    fn find(&self, byte: u8, from: usize) -> usize {
        let len = self.bytes.len();
        (from..len).find(|&at| self.bytes[at] == byte).unwrap_or(len)
    }

    /// Reports what lies before the next start block and returns where that is.
    fn outside(&self, from: usize, seen: &mut Vec<Seen>) -> Option<usize> {
        let start = self.find(SB, from);
        let known = self.eof || start < self.bytes.len();
        if known && start > from {
            let blank = self.bytes[from..start].iter().all(|b| b"\0\t\n\r ".contains(b));
            let (offset, len) = (from as u64, (start - from) as u64);
            seen.push(Seen::Discard { offset, len, why: "outside", blank });
        }
        (start < self.bytes.len()).then_some(start)
    }

    fn frame(&self, start: usize, end: usize, warn: Vec<&'static str>) -> Seen {
        let payload = self.bytes[start + 1..end].to_vec();
        let kind = match payload[..] {
            [] => "empty",
            [0x06] => "commit_ack",
            [0x15] => "commit_nak",
            _ => "content",
        };
        Seen::Frame { offset: start as u64, payload, kind, warn }
    }
}

fn dropped(start: usize, end: usize) -> Seen {
    let (offset, len) = (start as u64, (end - start) as u64);
    Seen::Discard { offset, len, why: "dropped", blank: false }
}

fn lost(code: &'static str, start: usize, at: usize) -> [Seen; 2] {
    [Seen::Error { code, offset: at as u64 }, dropped(start, at)]
}

pub fn permissive(s: &Stream<'_>) -> Vec<Seen> {
    let (mut seen, mut from, len) = (Vec::new(), 0, s.bytes.len());
    while let Some(start) = s.outside(from, &mut seen) {
        let end = s.find(EB, start + 1);
        let over = end - start - 1 > s.max;
        match (over, end < len) {
            (false, true) => {
                let doubled = s.bytes[start + 1..end].contains(&SB);
                seen.push(s.frame(
                    start,
                    end,
                    if doubled { vec!["sb_in_payload"] } else { vec![] },
                ));
            }
            (false, false) => {
                if s.eof {
                    seen.extend(lost("truncated", start, len));
                }
                return seen;
            }
            (true, ended) => {
                seen.push(Seen::Error { code: "too_large", offset: (start + 1 + s.max) as u64 });
                if ended || s.eof {
                    seen.push(dropped(start, (end + 1).min(len)));
                }
                if !ended {
                    return seen;
                }
            }
        }
        from = end + 1;
        match s.bytes.get(from) {
            Some(&CR) => from += 1,
            None if !s.eof => {}
            _ => seen.push(Seen::Warning { code: "missing_cr", offset: from as u64 }),
        }
    }
    seen
}

pub fn resync(s: &Stream<'_>) -> Vec<Seen> {
    let (mut seen, mut from, len) = (Vec::new(), 0, s.bytes.len());
    let ends = |at: usize| match s.bytes.get(at + 1) {
        _ if s.idle[at + 1] || s.eof && at + 1 == len => Some("missing_cr"),
        Some(&CR) => Some(""),
        Some(&LF) => Some("lf_for_cr"),
        Some(&SB) => Some("missing_cr"),
        _ => None,
    };
    while let Some(start) = s.outside(from, &mut seen) {
        let end =
            (start + 1..len).find(|&at| s.bytes[at] == EB && ends(at).is_some()).unwrap_or(len);
        let again = s.find(SB, start + 1);
        // The first byte over the limit; an end block there shows itself one byte later.
        let mut over = s.max.saturating_add(start + 1);
        if over < end && over < again && over < len {
            over += usize::from(s.bytes[over] == EB);
            if over < len {
                seen.extend(lost("too_large", start, over));
                from = over;
                continue;
            }
        }
        if again < end {
            seen.extend(lost("sb_in_block", start, again));
            from = again;
        } else if end < len {
            let data = s.bytes[start + 1..end].contains(&EB).then_some("fs_in_payload");
            let warn = data.into_iter().chain(ends(end).filter(|warn| !warn.is_empty()));
            seen.push(s.frame(start, end, warn.collect()));
            let trailed = !s.idle[end + 1] && matches!(s.bytes.get(end + 1), Some(&(CR | LF)));
            from = end + 1 + usize::from(trailed);
        } else {
            seen.extend(s.eof.then(|| lost("truncated", start, len)).into_iter().flatten());
            return seen;
        }
    }
    seen
}

pub fn strict(s: &Stream<'_>) -> Vec<Seen> {
    let (mut seen, mut from, len) = (Vec::new(), 0, s.bytes.len());
    'frame: while let Some(start) = s.outside(from, &mut seen) {
        for at in start + 1..len {
            let (byte, payload) = (s.bytes[at], &s.bytes[start + 1..at]);
            let commit = |payload: &[u8]| matches!(payload, [0x06 | 0x15]);
            let legal = byte >= 0x20 || byte == CR || payload.is_empty() && commit(&[byte]);
            let code = match (byte, s.bytes.get(at + 1)) {
                (EB, Some(&CR)) => {
                    seen.push(s.frame(start, at, vec![]));
                    from = at + 2;
                    continue 'frame;
                }
                (EB, None) if !s.eof => return seen,
                (EB, _) => {
                    seen.extend(lost("missing_cr", start, at + 1));
                    from = at + 1;
                    continue 'frame;
                }
                (SB, _) => "sb_in_block",
                _ if !legal || commit(payload) => "illegal_byte",
                _ if payload.len() == s.max => "too_large",
                _ => continue,
            };
            seen.extend(lost(code, start, at));
            from = at;
            continue 'frame;
        }
        if s.eof {
            seen.extend(lost("truncated", start, len));
        }
        return seen;
    }
    seen
}
