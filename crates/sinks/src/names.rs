//! A set of words, one bit each.

/// The words of `table` with a bit in `bits`, each once: two bits can say the
/// same word.
pub(crate) fn names(
    table: &'static [(u32, &'static str)],
    bits: u32,
) -> impl Iterator<Item = &'static str> {
    // As it is of most events.
    let table = if bits == 0 { &[] } else { table };
    let set = move || table.iter().filter(move |(bit, _)| bits & bit != 0);
    set()
        .enumerate()
        .filter(move |(index, (_, name))| !set().take(*index).any(|(_, earlier)| earlier == name))
        .map(|(_, (_, name))| *name)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn each_word_once_and_in_order() {
        const TABLE: &[(u32, &str)] = &[(1, "a"), (2, "b"), (4, "b"), (8, "c")];
        let words = |bits| names(TABLE, bits).collect::<Vec<_>>();
        assert!(words(0).is_empty());
        assert_eq!(words(2), ["b"]);
        assert_eq!(words(4), ["b"]);
        assert_eq!(words(0xff), ["a", "b", "c"]);
    }
}
