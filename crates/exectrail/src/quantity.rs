//! Times, sizes and choices as people write them.

use std::time::Duration;

use exectrail_abi::record::{ANCESTORS_MAX, ARGS_LIMIT};
use exectrail_model::plan::{BufferSize, HookChoice};
use jiff::SignedDuration;

/// `10s`, `1h30m`, `500ms`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write 10s, 5m, 1h30m, or a number of seconds");
    let time = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text
            .parse::<SignedDuration>()
            .ok()
            .and_then(|time| Duration::try_from(time).ok())
            .ok_or_else(wrong)?,
    };
    // Far enough for anyone, near enough for every clock.
    if time > Duration::from_secs(100 * 365 * 24 * 3600) {
        return Err("that is more than a hundred years; leave out --duration".to_owned());
    }
    Ok(time)
}

/// A time between two readings: a tenth of a second at least, so that reading them is not
/// what costs most.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_millis(100) {
        return Err("a tenth of a second (100ms) is the least".to_owned());
    }
    Ok(time)
}

/// `65536`, `64K`, `4M`, `1G`, with or without `iB` or `B`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write 65536, 64K, 4M or 1G");
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase();
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => 1024 * 1024,
        "g" | "gb" | "gib" => 1024 * 1024 * 1024,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(wrong)
}

/// A size for the ring buffer.
pub(crate) fn buffer(text: &str) -> Result<BufferSize, String> {
    BufferSize::at_least(bytes(text)?).map_err(|error| error.to_string())
}

/// A limit for the arguments of one exec.
pub(crate) fn args_max(text: &str) -> Result<u32, String> {
    let limit = bytes(text)?;
    match u32::try_from(limit) {
        Ok(limit) if (64..=ARGS_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(format!("{limit} is out of range: from 64 to {ARGS_LIMIT} bytes")),
    }
}

/// A number of ancestors.
pub(crate) fn ancestors(text: &str) -> Result<u32, String> {
    let wrong = || format!("from 0 to {ANCESTORS_MAX}");
    let number: u32 = text.parse().map_err(|_| wrong())?;
    if number as usize <= ANCESTORS_MAX { Ok(number) } else { Err(wrong()) }
}

/// A kind of exec hook.
pub(crate) fn hook(text: &str) -> Result<HookChoice, String> {
    match text {
        "auto" => Ok(HookChoice::Auto),
        "raw" => Ok(HookChoice::Raw),
        "classic" => Ok(HookChoice::Classic),
        _ => Err("there are auto, raw and classic".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{args_max, buffer, bytes, duration, interval};

    #[test]
    fn times() {
        for (text, millis) in
            [("10", 10_000), ("500ms", 500), ("1h30m", 5_400_000), ("2m", 120_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "x", "-5s", "99999999999999999999", "10 apples"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn intervals() {
        assert_eq!(interval("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        for text in ["0", "99ms", "x"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expect) in [("1", 1), ("64K", 65_536), ("4MiB", 4 << 20), ("1g", 1 << 30)] {
            assert_eq!(bytes(text), Ok(expect), "{text}");
        }
        for text in ["", "K", "1.5M", "4X", "99999999999G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(buffer("1K").is_err());
        assert!(args_max("6M").is_ok());
        assert!(args_max("7M").is_err());
        assert!(args_max("1").is_err());
    }
}
