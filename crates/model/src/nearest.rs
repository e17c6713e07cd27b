//! The name that was probably meant.

/// The candidate nearest to `name`, if it is near enough to be worth asking.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = name.chars().count() / 3 + 1;
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: how many characters to insert, remove or replace,
/// whatever their case. `row` holds the distances from what has been read of
/// `from` to every beginning of `to`.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (read, left) in from.chars().enumerate() {
        let mut diagonal = read;
        let mut before = read + 1;
        let mut next = vec![before];
        for (right, &above) in to.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            before = replaced.min(above + 1).min(before + 1);
            next.push(before);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances() {
        for (from, to, expect) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("PID", "pid", 0),
            ("ppid", "pid", 1),
            ("jsno", "json", 2),
        ] {
            assert_eq!(distance(from, to), expect, "{from} {to}");
        }
    }

    #[test]
    fn far_names_are_not_offered() {
        let names = || ["pretty", "json"].into_iter();
        assert_eq!(nearest("jsn", names()), Some("json"));
        assert_eq!(nearest("jsonl", names()), Some("json"));
        assert_eq!(nearest("Prety", names()), Some("pretty"));
        assert_eq!(nearest("xml", names()), None);
        assert_eq!(nearest("", names()), None);
    }
}
