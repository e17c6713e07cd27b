//! `/proc/PID/stat` (Documentation/filesystems/proc.rst).

use std::{fs, path::Path};

/// What is read of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProcStat {
    /// The kernel's short name.
    pub(crate) comm: Vec<u8>,
    /// The process that it was born to, or that took it over.
    pub(crate) parent: u32,
    /// When it started: clock ticks since boot.
    pub(crate) start_ticks: u64,
}

/// Fields 4 and 22, counted from behind the name, which stands in brackets and can have
/// anything in it.
const PARENT: usize = 4 - 3;
const START: usize = 22 - 3;

impl ProcStat {
    /// Of the process with this directory; nothing, if it is gone.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        Self::parse(&fs::read(directory.join("stat")).ok()?)
    }

    /// Of what the file says; nothing, if that is something else.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let open = text.iter().position(|&byte| byte == b'(')?;
        let close = text.iter().rposition(|&byte| byte == b')')?;
        let comm = text.get(open + 1..close)?.to_vec();
        let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
        let field = |index| rest.split_ascii_whitespace().nth(index);
        let (parent, start_ticks) = (field(PARENT)?.parse().ok()?, field(START)?.parse().ok()?);
        Some(Self { comm, parent, start_ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::ProcStat;

    #[test]
    fn a_name_can_have_anything_in_it() {
        let line = b"7 (a) b (c\n) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2\n";
        let expect = ProcStat { comm: b"a) b (c\n".to_vec(), parent: 1, start_ticks: 98765 };
        assert_eq!(ProcStat::parse(line), Some(expect));
        assert_eq!(ProcStat::parse(b"7 (x S 1"), None);
    }
}
