//! The end of a trace, in words.

use exectrail_model::event::Summary;

/// The account of a trace in words, for the end of it.
#[must_use]
pub fn summary_words(summary: &Summary) -> String {
    let Summary { seen, delivered, filtered, dropped, missed, damaged } = *summary;
    let events = if delivered == 1 { "event" } else { "events" };
    let damaged = match damaged {
        0 => String::new(),
        damaged => format!(" ({damaged} of them damaged)"),
    };
    let missed = match missed {
        None | Some(0) => String::new(),
        Some(missed) => format!(" and missed {missed}"),
    };
    format!(
        "{delivered} {events} shown, {filtered} filtered, {dropped} lost{damaged}; \
         the kernel saw {seen}{missed}"
    )
}

#[cfg(test)]
mod tests {
    use exectrail_model::event::Summary;

    use super::summary_words;

    #[test]
    fn a_summary_tells_only_what_happened() {
        let quiet = Summary {
            seen: 117,
            delivered: 5,
            filtered: 112,
            missed: Some(0),
            ..Summary::default()
        };
        assert_eq!(
            summary_words(&quiet),
            "5 events shown, 112 filtered, 0 lost; the kernel saw 117"
        );
        let loud = Summary {
            seen: 10,
            delivered: 1,
            filtered: 2,
            dropped: 7,
            missed: Some(3),
            damaged: 4,
        };
        assert_eq!(
            summary_words(&loud),
            "1 event shown, 2 filtered, 7 lost (4 of them damaged); the kernel saw 10 and missed 3"
        );
        assert_eq!(
            summary_words(&Summary { missed: None, ..loud }),
            "1 event shown, 2 filtered, 7 lost (4 of them damaged); the kernel saw 10"
        );
    }
}
