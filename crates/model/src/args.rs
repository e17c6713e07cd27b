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
    #[must_use]
    pub fn iter(&self) -> Iter<'a> {
        let (head, tail) = self.bytes.split_at(self.cut.unwrap_or(self.bytes.len()));
        Iter { head: Strings(head), tail: Strings(tail), missing: self.missing, is_first: true }
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
        self.bytes.get(..cut).map(|head| Strings(head).count())
    }
}

/// The arguments of a program, one by one.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    /// Before the cut.
    head: Strings<'a>,
    /// Behind it.
    tail: Strings<'a>,
    /// The lowest bit is the next argument's.
    missing: u64,
    /// Whether the next one behind the cut is the first there.
    is_first: bool,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Arg<'a>;

    #[inline]
    fn next(&mut self) -> Option<Arg<'a>> {
        let Some((string, is_whole)) = self.head.next() else { return self.next_behind_cut() };
        let is_missing = self.missing & 1 != 0;
        self.missing >>= 1;
        Some(match string {
            _ if is_missing => Arg::Unreadable,
            string if is_whole => Arg::Whole(string),
            string => Arg::Piece(string),
        })
    }
}

impl<'a> Iter<'a> {
    /// What follows a cut begins in the middle of a string.
    fn next_behind_cut(&mut self) -> Option<Arg<'a>> {
        let (string, is_whole) = self.tail.next()?;
        let is_first = std::mem::take(&mut self.is_first);
        Some(if is_whole && !is_first { Arg::Whole(string) } else { Arg::Piece(string) })
    }
}

impl<'a> IntoIterator for &Args<'a> {
    type Item = Arg<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Strings one behind the other, and whether each is ended by a NUL.
#[derive(Clone, Debug)]
struct Strings<'a>(&'a [u8]);

impl<'a> Iterator for Strings<'a> {
    type Item = (&'a [u8], bool);

    #[inline]
    fn next(&mut self) -> Option<(&'a [u8], bool)> {
        if self.0.is_empty() {
            return None;
        }
        let (string, rest) = self.0.split_at_checked(until_nul(self.0))?;
        self.0 = rest.get(1..).unwrap_or_default();
        Some((string, !rest.is_empty()))
    }
}

/// How many bytes stand before the first NUL, or in all. Eight at a time: most arguments are
/// a few times as long.
#[inline]
fn until_nul(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        // The highest bit of each byte that is zero, and of none below the first such.
        let zeros = word.wrapping_sub(EACH) & !word & (EACH << 7);
        if zeros != 0 {
            return index * 8 + zeros.trailing_zeros() as usize / 8;
        }
    }
    let before = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    bytes.len() - rest.len() + before
}

#[cfg(test)]
mod tests {
    use super::{Arg, Args, until_nul};

    #[test]
    fn the_first_nul_is_found_wherever_it_stands() {
        for len in 0..40 {
            for place in 0..=len {
                // What follows looks like zeros to a hasty eye.
                let mut bytes = [vec![0x80; place], vec![1; len - place]].concat();
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = 0;
                }
                assert_eq!(until_nul(&bytes), place, "{bytes:?}");
            }
        }
    }

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
