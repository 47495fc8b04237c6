//! One header block: which dialect it is in, and its fields.

use super::BLOCK;

/// The dialect of a header, which decides what its last 255 bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    V7,
    /// ustar and PAX.
    Ustar,
    /// ustar with a shorter prefix.
    Star,
    Gnu,
}

/// A header block whose checksum is right.
pub(super) struct Header<'a> {
    block: &'a [u8; BLOCK],
    dialect: Dialect,
}

/// What is wrong with a header.
pub(super) type Why = &'static str;

impl<'a> Header<'a> {
    /// Checks the sum and tells the dialect.
    pub(super) fn parse(block: &'a [u8; BLOCK]) -> Result<Self, Why> {
        let stored = octal(&block[148..156]).ok_or("the checksum is no number")?;
        let (unsigned, signed) = checksums(block);
        if stored != unsigned && i64::try_from(stored) != Ok(signed) {
            return Err("wrong checksum");
        }
        let dialect = match (&block[257..263], &block[263..265]) {
            (b"ustar\0", _) if &block[508..512] == b"tar\0" => Dialect::Star,
            (b"ustar\0", _) => Dialect::Ustar,
            (b"ustar ", b" \0") => Dialect::Gnu,
            _ => Dialect::V7,
        };
        Ok(Self { block, dialect })
    }

    pub(super) fn type_flag(&self) -> u8 {
        self.block[156]
    }

    pub(super) fn mode(&self) -> Result<u32, Why> {
        let mode = number(&self.block[100..108]).ok_or("the mode is no number")?;
        Ok((mode & 0o7777) as u32)
    }

    pub(super) fn uid(&self) -> Result<i64, Why> {
        number(&self.block[108..116]).ok_or("the owner is no number")
    }

    pub(super) fn gid(&self) -> Result<i64, Why> {
        number(&self.block[116..124]).ok_or("the group is no number")
    }

    pub(super) fn size(&self) -> Result<u64, Why> {
        number(&self.block[124..136]).and_then(|size| u64::try_from(size).ok()).ok_or("the size is no number")
    }

    pub(super) fn mtime(&self) -> Result<i64, Why> {
        number(&self.block[136..148]).ok_or("the time is no number")
    }

    /// Major and minor.
    pub(super) fn device(&self) -> Result<(u32, u32), Why> {
        if self.dialect == Dialect::V7 {
            return Ok((0, 0));
        }
        let part = |bytes| number(bytes).and_then(|n| u32::try_from(n).ok()).ok_or("a device number is no number");
        Ok((part(&self.block[329..337])?, part(&self.block[337..345])?))
    }

    pub(super) fn link(&self) -> &'a [u8] {
        until_nul(&self.block[157..257])
    }

    /// Appends the path, with the prefix where the dialect has one.
    pub(super) fn path_into(&self, path: &mut Vec<u8>) {
        let prefix = match self.dialect {
            Dialect::V7 => &[],
            Dialect::Ustar => until_nul(&self.block[345..500]),
            Dialect::Star => until_nul(&self.block[345..476]),
            Dialect::Gnu => self.misplaced_prefix(),
        };
        path.extend_from_slice(prefix);
        if !prefix.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(until_nul(&self.block[..100]));
    }

    /// Go before 1.8 wrote a ustar prefix into GNU headers, where atime and ctime belong: told apart by not being numbers.
    fn misplaced_prefix(&self) -> &'a [u8] {
        let field = &self.block[345..500];
        let times = field[0] == 0 || (number(&field[..12]).is_some() && number(&field[12..24]).is_some());
        let prefix = until_nul(field);
        if times || !prefix.is_ascii() { &[] } else { prefix }
    }

    /// The four sparse entries of a GNU header, whether more blocks of them follow, and the file's length.
    pub(super) fn gnu_sparse(&self) -> Result<(&'a [u8], bool, u64), Why> {
        if self.dialect != Dialect::Gnu {
            return Err("a GNU sparse file in another dialect");
        }
        let size = number(&self.block[483..495]).and_then(|size| u64::try_from(size).ok());
        Ok((&self.block[386..482], self.block[482] != 0, size.ok_or("the sparse file's length is no number")?))
    }
}

/// Up to the first NUL.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len())]
}

/// A numeric field: octal text, or base-256 in two's complement when the first bit is set.
pub(super) fn number(bytes: &[u8]) -> Option<i64> {
    match bytes.first() {
        Some(first) if first & 0x80 != 0 => base_256(bytes),
        _ => octal(bytes).and_then(|number| i64::try_from(number).ok()),
    }
}

fn base_256(bytes: &[u8]) -> Option<i64> {
    // The second bit is the sign; a negative number is read inverted.
    let invert = if bytes[0] & 0x40 != 0 { 0xff } else { 0 };
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let byte = byte ^ invert;
        let byte = if index == 0 { byte & 0x7f } else { byte };
        if value >> 56 != 0 {
            return None;
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if invert == 0 { value } else { !value })
}

/// Octal text between spaces and NULs; nothing at all is zero.
fn octal(bytes: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let digits = until_nul(&bytes[start..]);
    let end = digits.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    let mut value: u64 = 0;
    for digit in &digits[..end] {
        if !matches!(digit, b'0'..=b'7') || value >> 61 != 0 {
            return None;
        }
        value = value << 3 | u64::from(digit - b'0');
    }
    Some(value)
}

/// The sum of all bytes with the checksum field as spaces; some old programs added signed bytes.
fn checksums(block: &[u8; BLOCK]) -> (u64, i64) {
    let mut unsigned: u64 = 0;
    let mut high: u64 = 0;
    for (index, byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&index) { b' ' } else { *byte };
        unsigned += u64::from(byte);
        high += u64::from(byte >> 7);
    }
    (unsigned, unsigned as i64 - 256 * high as i64)
}

/// Decimal digits only.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"644\0junk", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"", Some(0)),
            (b"9", None),
            (b"-1", None),
            (b"7777777777777777777777777", None),
            (b"\x80\0\0\0\0\0\0\x01", Some(1)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
