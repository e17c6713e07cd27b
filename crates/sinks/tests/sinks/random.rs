//! Byte strings at random, the same ones in every run.

#![expect(clippy::cast_possible_truncation, reason = "every number is below a small bound")]

/// Pieces that make trouble more often than plain chance does.
const SPICE: [&[u8]; 24] = [
    b"'",
    b"\"",
    b"\\",
    b"\n",
    b"\x1b[0m",
    b"$(id)",
    b"`id`",
    b"!!",
    b"~",
    b"=",
    b"{a,b}",
    b"*",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"\xe2\x80",
    b"\xc3",
    b"\xff",
    b"\x7f",
    b"\x01",
    b" ",
    "é".as_bytes(),
    "日本".as_bytes(),
    "\u{301}".as_bytes(),
    "\u{e0041}".as_bytes(),
];

/// A generator of the xorshift family: small, and good enough here.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// A string without NUL: often ASCII, sometimes any bytes, sometimes any
    /// characters, often spiced.
    pub(crate) fn string(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let kind = self.below(4);
        for _ in 0..self.below(12) {
            match (kind, self.below(4)) {
                (0, _) | (3, 0) => bytes.push(b'!' + self.below(94) as u8),
                (1, _) | (3, 1) => bytes.push(1 + self.below(255) as u8),
                (2, _) | (3, 2) => self.character(&mut bytes),
                _ => bytes.extend_from_slice(SPICE[self.below(SPICE.len() as u64) as usize]),
            }
        }
        bytes
    }

    fn character(&mut self, bytes: &mut Vec<u8>) {
        let end = [0x250, 0x3000, 0x1_0000, 0x11_0000][self.below(4) as usize];
        let code = 1 + self.below(end - 1) as u32;
        let c = char::from_u32(code).unwrap_or('x');
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
