//! An argument vector as bytes, with its boundaries and its gaps.

/// The arguments of a program, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<'a> {
    /// The strings one behind the other, each ended by a NUL; at a cut, and
    /// there only, a string may lack it.
    bytes: &'a [u8],
    /// Where bytes are missing, counted in `bytes`.
    cut: Option<usize>,
    /// Bit n: argument n could not be read, an empty string stands for it.
    missing: u64,
}

/// One argument, or a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is there, and could not be read.
    Unreadable,
    /// Its beginning or its end; the rest fell into the cut.
    Piece(&'a [u8]),
}

impl<'a> Args<'a> {
    /// Arguments that are all there.
    #[must_use]
    pub fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, cut: None, missing: 0 }
    }

    /// The same arguments with bytes missing behind `cut` of them.
    #[must_use]
    pub fn cut_at(self, cut: usize) -> Self {
        Self { cut: Some(cut.min(self.bytes.len())), ..self }
    }

    /// The same arguments, of which those with a bit in `missing` were not readable.
    #[must_use]
    pub fn without(self, missing: u64) -> Self {
        Self { missing, ..self }
    }

    /// What they are made of: the bytes, where some are missing, and a bit for each of the
    /// first 64 that was not readable. [`whole`](Self::whole), [`cut_at`](Self::cut_at) and
    /// [`without`](Self::without) make the same again.
    #[must_use]
    pub fn into_parts(self) -> (&'a [u8], Option<usize>, u64) {
        (self.bytes, self.cut, self.missing)
    }

    /// Up to `max` bytes from the beginning, and where they are cut, if they are.
    #[must_use]
    pub fn first_bytes(&self, max: usize) -> (&'a [u8], Option<usize>) {
        let end = self.cut.unwrap_or(self.bytes.len()).min(max);
        let is_all = self.cut.is_none() && end == self.bytes.len();
        (self.bytes.get(..end).unwrap_or_default(), (!is_all).then_some(end))
    }

    /// Whether bytes are missing because there were too many.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// Each argument, in order.
    pub fn iter(&self) -> impl Iterator<Item = Arg<'a>> + use<'a> {
        let (head, tail) = self.bytes.split_at(self.cut.unwrap_or(self.bytes.len()));
        let missing = self.missing;
        let head = strings(head).enumerate().map(move |(index, string)| match string {
            _ if index < 64 && missing >> index & 1 != 0 => Arg::Unreadable,
            Ended::ByNul(string) => Arg::Whole(string),
            Ended::ByCut(string) => Arg::Piece(string),
        });
        // What follows a cut begins in the middle of a string.
        let tail = strings(tail).enumerate().map(|(index, string)| match string {
            Ended::ByNul(string) if index > 0 => Arg::Whole(string),
            Ended::ByNul(string) | Ended::ByCut(string) => Arg::Piece(string),
        });
        head.chain(tail)
    }

    /// How many arguments (and pieces) are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Index of the first argument, or piece, behind the cut.
    #[must_use]
    pub fn cut_index(&self) -> Option<usize> {
        let cut = self.cut?;
        self.bytes.get(..cut).map(|head| strings(head).count())
    }
}

enum Ended<'a> {
    ByNul(&'a [u8]),
    ByCut(&'a [u8]),
}

fn strings(bytes: &[u8]) -> impl Iterator<Item = Ended<'_>> {
    bytes.split_inclusive(|&byte| byte == 0).map(|string| match string.split_last() {
        Some((0, string)) => Ended::ByNul(string),
        _ => Ended::ByCut(string),
    })
}

#[cfg(test)]
mod tests {
    use super::{Arg, Args};

    fn check(args: Args<'_>, expect: &[Arg<'_>]) {
        assert_eq!(args.iter().collect::<Vec<_>>(), expect);
        assert_eq!(args.len(), expect.len());
    }

    #[test]
    fn empty_strings_are_kept_wherever_they_stand() {
        use Arg::Whole;
        check(Args::whole(b""), &[]);
        check(Args::whole(b"\0"), &[Whole(b"")]);
        check(Args::whole(b"a\0b c\0\0"), &[Whole(b"a"), Whole(b"b c"), Whole(b"")]);
        check(Args::whole(b"\0\0x\0"), &[Whole(b""), Whole(b""), Whole(b"x")]);
    }

    #[test]
    fn both_sides_of_a_cut_are_pieces() {
        use Arg::{Piece, Whole};
        let args = Args::whole(b"cat\0abcxyz\0end\0").cut_at(7);
        check(args, &[Whole(b"cat"), Piece(b"abc"), Piece(b"xyz"), Whole(b"end")]);
        assert_eq!(args.cut_index(), Some(2));
        assert!(args.is_cut());
    }

    #[test]
    fn a_cut_at_the_end_leaves_whole_strings() {
        let args = Args::whole(b"a\0b\0").cut_at(4);
        check(args, &[Arg::Whole(b"a"), Arg::Whole(b"b")]);
        assert_eq!(args.cut_index(), Some(2));
    }

    #[test]
    fn unreadable_arguments_are_not_empty_ones() {
        let args = Args::whole(b"ls\0\0\0").without(0b010);
        check(args, &[Arg::Whole(b"ls"), Arg::Unreadable, Arg::Whole(b"")]);
    }
}
