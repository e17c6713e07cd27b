//! Numbers as digits. By hand, since the formatter of the standard library takes some
//! hundred instructions for each, and an event has thirty.

/// Most digits that a number of 64 bits has.
const MOST: usize = 20;

/// Eight digits: as many as a word has bytes.
const EIGHT: u64 = 100_000_000;

/// What makes digits of numbers.
const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);

/// The digits of a number, from the left.
pub(crate) struct Decimal {
    digits: [u8; MOST],
    len: usize,
}

impl Decimal {
    /// With zeros in front up to `width` digits, of which there is room for 16; a number
    /// that has more than 16 itself has none in front.
    #[inline]
    pub(crate) fn new(value: u64, width: usize) -> Self {
        let mut digits = [b'0'; MOST];
        if let Some((short, len)) = short(value, width) {
            digits[..8].copy_from_slice(&short);
            return Self { digits, len };
        }
        let (upper, low) = (value / EIGHT, eight(value % EIGHT));
        let (top, high) = (upper / EIGHT, eight(upper % EIGHT));
        let text = u128::from(high | ZEROS) | (u128::from(low | ZEROS) << 64);
        if top == 0 {
            let significant = if high == 0 { significant(low) } else { 8 + significant(high) };
            let len = significant.max(width.min(16));
            digits[..16].copy_from_slice(&(text >> (8 * (16 - len))).to_le_bytes());
            return Self { digits, len };
        }
        // At most 1,844.
        let (head, len) = short(top, 0).unwrap_or_default();
        digits[..8].copy_from_slice(&head);
        if let Some(place) = digits.get_mut(len..len + 16) {
            place.copy_from_slice(&text.to_le_bytes());
        }
        Self { digits, len: len + 16 }
    }

    /// All places, of which the first [`len`](Self::len) count.
    #[inline]
    pub(crate) fn digits(&self) -> &[u8; MOST] {
        &self.digits
    }

    /// How many digits there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.digits.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

/// The digits of a number below 10^8, with zeros in front up to `width`, which is at most 8,
/// and how many they are; `None` if it or they are more.
#[inline]
pub(crate) fn short(value: u64, width: usize) -> Option<([u8; 8], usize)> {
    if value >= EIGHT || width > 8 {
        return None;
    }
    let word = eight(value);
    let len = significant(word).max(width);
    Some((((word | ZEROS) >> (8 * (8 - len))).to_le_bytes(), len))
}

/// The nine digits of a number below 10^9, zeros in front among them.
#[inline]
pub(crate) fn nine(value: u64) -> [u8; 9] {
    let word = eight(value % EIGHT) | ZEROS;
    let mut digits = [b'0' | ((value / EIGHT) & 15) as u8; 9];
    digits[1..].copy_from_slice(&word.to_le_bytes());
    digits
}

/// The eight digits of a number below 10^8, as numbers, the first one in the lowest byte.
/// Halves, quarters and eighths are divided at once: of two numbers in one word, a
/// multiplication by 2^20 / 100 rounded up, shifted, is both of them divided by 100, as long
/// as they are below 10^4; the same of 2^10 / 10 and four numbers below 100.
#[inline]
fn eight(value: u64) -> u64 {
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | ((halves - 100 * hundreds) << 16);
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((quarters - 10 * tens) << 8)
}

/// How many of eight digits are not zeros in front; the last one never is.
#[inline]
fn significant(eight: u64) -> usize {
    8 - (eight.trailing_zeros() as usize / 8).min(7)
}

#[cfg(test)]
mod tests {
    use super::{Decimal, nine};

    #[test]
    fn every_length_with_and_without_zeros_in_front() {
        let mut value: u64 = 0;
        for digit in (1..=9).cycle().take(20) {
            for value in [value, value.saturating_sub(1), value.saturating_add(1)] {
                for width in [0, 1, 2, 3, 8, 9, 16] {
                    let digits = Decimal::new(value, width);
                    assert_eq!(digits.as_str(), format!("{value:0width$}"));
                }
            }
            value = value.saturating_mul(10).saturating_add(digit);
        }
        for value in [0, 7, 99_999_999, 100_000_000, 123_456_789, 999_999_999] {
            assert_eq!(str::from_utf8(&nine(value)).unwrap(), format!("{value:09}"));
        }
        for value in [0, 9, 10, 99, 100, 999, 1000, u64::MAX] {
            assert_eq!(Decimal::new(value, 0).as_str(), value.to_string());
        }
    }

    /// Each number that halves of eight digits can be, and many of any length.
    #[test]
    fn many() {
        let mut any: u64 = 1;
        for low in 0..10_000 {
            any = any.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for value in [low, low * 10_000, low * 10_001, any >> (low % 64)] {
                assert_eq!(Decimal::new(value, 0).as_str(), value.to_string());
            }
        }
    }
}
