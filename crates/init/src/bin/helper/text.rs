//! Numbers to text and back, without the formatting machinery, which alone would double the program.

use core::ffi::CStr;

/// Room for a file name of 255 bytes with a suffix, and for all else that is built here.
const SIZE: usize = 272;

/// A short text that is built piece by piece; what does not fit is cut off.
pub(crate) struct Line {
    bytes: [u8; SIZE],
    length: usize,
}

impl Line {
    /// An empty one.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; SIZE], length: 0 }
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &[u8]) -> &mut Self {
        for byte in text {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
        }
        self
    }

    /// Appends a decimal number with zeros in front up to `width` digits.
    pub(crate) fn number(&mut self, number: u64, width: usize) -> &mut Self {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut first = digits.len();
        while rest > 0 || digits.len() - first < width.clamp(1, digits.len()) {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.push(&digits[first..])
    }

    /// What was appended.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The same as a C string, up to a zero in it; empty if there is no room for one.
    pub(crate) fn c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

/// A decimal number, digits only.
pub(crate) fn parse(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
