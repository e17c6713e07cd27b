//! Numbers as digits. By hand, since the formatter of the standard library takes some
//! hundred instructions for each, and an event has thirty.

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number: u8 = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Most digits that a number of 64 bits has.
const MOST: usize = 20;

/// The digits of a number, from the left.
pub(crate) struct Decimal {
    digits: [u8; MOST],
    len: usize,
}

impl Decimal {
    /// With zeros in front up to `width` digits, of which there is room for 20.
    pub(crate) fn new(mut value: u64, width: usize) -> Self {
        let mut digits = [b'0'; MOST];
        let significant = value.checked_ilog10().unwrap_or(0) as usize + 1;
        let len = significant.max(width).min(MOST);
        let mut end = len;
        while value >= 10 {
            // Below a hundred, so that nothing is lost.
            let pair = PAIRS.get((value % 100) as usize).copied().unwrap_or_default();
            value /= 100;
            end -= 2;
            if let Some(place) = digits.get_mut(end..end + 2) {
                place.copy_from_slice(&pair);
            }
        }
        if value > 0
            && let Some(place) = digits.get_mut(end - 1)
        {
            // Below ten.
            *place += (value % 10) as u8;
        }
        Self { digits, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Appends them. All places are copied, and what is too much is cut off: a copy of a
    /// fixed length is a few instructions, one of any length is a call.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let len = out.len() + self.len;
        out.extend_from_slice(&self.digits);
        out.truncate(len);
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn every_length_with_and_without_zeros_in_front() {
        let mut value: u64 = 0;
        for digit in (1..=9).cycle().take(20) {
            for value in [value, value.saturating_sub(1), value.saturating_add(1)] {
                for width in [0, 1, 2, 3, 9, 20] {
                    let digits = Decimal::new(value, width);
                    assert_eq!(digits.as_str(), format!("{value:0width$}"));
                }
            }
            value = value.saturating_mul(10).saturating_add(digit);
        }
        for value in [0, 9, 10, 99, 100, 999, 1000, u64::MAX] {
            assert_eq!(Decimal::new(value, 0).as_str(), value.to_string());
        }
    }
}
