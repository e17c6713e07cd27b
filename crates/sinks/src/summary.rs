//! The end of a trace, in words.

use exectrail_model::event::Summary;

/// The account of a trace in words, for the end of it.
#[must_use]
pub fn summary_words(summary: &Summary) -> String {
    account(summary, "shown")
}

/// The same of a trace that went into a recording.
#[must_use]
pub fn recording_words(summary: &Summary) -> String {
    account(summary, "recorded")
}

/// What was delivered was delivered so.
fn account(summary: &Summary, how: &str) -> String {
    let Summary {
        seen,
        delivered,
        folded,
        filtered,
        dropped,
        missed,
        skipped: _,
        shortened,
        damaged,
    } = *summary;
    let events = if delivered == 1 { "event" } else { "events" };
    let folded = some(folded, |folded| format!(" ({folded} of them in another's line)"));
    let damaged = some(damaged, |damaged| format!(" ({damaged} of them damaged)"));
    let missed = some(missed, |missed| format!(" and missed {missed}"));
    let shortened =
        some(shortened, |shortened| format!("; {shortened} had their arguments shortened"));
    format!(
        "{delivered} {events} {how}{folded}, {filtered} filtered, {dropped} lost{damaged}; \
         the kernel saw {seen}{missed}{shortened}"
    )
}

/// Words for a number, but for none.
fn some(number: u64, words: impl FnOnce(u64) -> String) -> String {
    if number == 0 { String::new() } else { words(number) }
}

#[cfg(test)]
mod tests {
    use exectrail_model::event::Summary;

    use super::summary_words;

    #[test]
    fn a_summary_tells_only_what_happened() {
        let quiet = Summary { seen: 117, delivered: 5, filtered: 112, ..Summary::default() };
        assert_eq!(
            summary_words(&quiet),
            "5 events shown, 112 filtered, 0 lost; the kernel saw 117"
        );
        let loud = Summary {
            seen: 10,
            delivered: 1,
            filtered: 2,
            dropped: 7,
            missed: 3,
            damaged: 4,
            ..Summary::default()
        };
        assert_eq!(
            summary_words(&loud),
            "1 event shown, 2 filtered, 7 lost (4 of them damaged); the kernel saw 10 and missed 3"
        );
        let odd = Summary { folded: 3, shortened: 2, delivered: 5, ..Summary::default() };
        assert_eq!(
            summary_words(&odd),
            "5 events shown (3 of them in another's line), 0 filtered, 0 lost; \
             the kernel saw 0; 2 had their arguments shortened"
        );
    }
}
