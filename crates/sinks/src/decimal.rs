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

/// The digits of a number.
pub(crate) struct Decimal {
    digits: [u8; 20],
    first: usize,
}

impl Decimal {
    /// With zeros in front up to `width` digits, of which there is room for 20.
    pub(crate) fn new(mut value: u64, width: usize) -> Self {
        let mut digits = [b'0'; 20];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        let mut first = 20;
        for place in pairs.iter_mut().rev() {
            // Below a hundred, so that nothing is lost.
            let pair = (value % 100) as usize;
            *place = PAIRS.get(pair).copied().unwrap_or_default();
            value /= 100;
            first -= if value == 0 && pair < 10 { 1 } else { 2 };
            if value == 0 {
                break;
            }
        }
        Self { digits, first: first.min(20_usize.saturating_sub(width)) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.first..).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
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
