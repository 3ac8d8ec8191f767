//! Repetition and definition levels, checked a run at a time and never written out.
//!
//! Levels come as the hybrid of run-length and bit-packed runs that the Parquet format calls RLE ("Encodings": a
//! varint header; even: a run of `header / 2` equal values; odd: `header / 2` groups of eight packed values). A list
//! column whose every row has `dim` elements and no null has definition levels that are all the maximum, and
//! repetition levels that are 0 at the first element of a row and 1 at the others.

/// One run of the hybrid encoding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Run<'a> {
    /// `count` times `value`.
    Repeated {
        /// The value, less than 2^width.
        value: u32,
        /// How often.
        count: usize,
    },
    /// `count` values of `width` bits each, from the lowest bit of the first byte on.
    Packed {
        /// At least `count` values.
        bytes: &'a [u8],
        /// How many.
        count: usize,
    },
}

/// The runs of a stream of values of `width` (0 to 32) bits. Yields `None` at its end, and for what can't be read.
#[derive(Debug, Clone)]
pub struct Runs<'a> {
    rest: &'a [u8],
    width: u32,
}

impl<'a> Runs<'a> {
    /// The runs in `bytes`.
    pub fn new(bytes: &'a [u8], width: u32) -> Self {
        Self { rest: bytes, width }
    }

    /// The varint that begins a run.
    fn header(&mut self) -> Option<usize> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).ok();
            }
        }
        None
    }

    /// The next run, cut to `most` values.
    pub fn next_run(&mut self, most: usize) -> Option<Run<'a>> {
        let header = self.header()?;
        let width = self.width as usize;
        if header & 1 == 1 {
            let groups = header >> 1;
            let count = groups.checked_mul(8)?.min(most);
            // The last run of a stream may be cut off behind its last value.
            let bytes = groups.checked_mul(width)?.min(self.rest.len());
            if count == 0 || bytes.checked_mul(8)? < count.checked_mul(width)? {
                return None;
            }
            let (bytes, rest) = self.rest.split_at(bytes);
            self.rest = rest;
            Some(Run::Packed { bytes, count })
        } else {
            let (value, rest) = self.rest.split_at_checked(width.div_ceil(8))?;
            self.rest = rest;
            let value = value.iter().rev().fold(0u32, |value, &byte| value << 8 | u32::from(byte));
            let count = (header >> 1).min(most);
            (count > 0 && (width == 32 || value >> width == 0)).then_some(Run::Repeated { value, count })
        }
    }
}

/// Bits of a level whose largest value is `max`.
fn width_of(max: i16) -> u32 {
    16 - (max as u16).leading_zeros()
}

/// Whether `count` definition levels are all `max`.
pub fn all_defined(bytes: &[u8], max: i16, count: usize) -> bool {
    let width = width_of(max);
    if !(1..=8).contains(&width) {
        return false;
    }
    // Eight values of `width` bits are `width` bytes.
    let group: u64 = (0..8).fold(0, |bits, i| bits | (max as u64) << (i * width));
    let pattern = group.to_le_bytes();
    let pattern = &pattern[..width as usize];
    let mut runs = Runs::new(bytes, width);
    let mut left = count;
    while left > 0 {
        match runs.next_run(left) {
            Some(Run::Repeated { value, count }) if value == max as u32 => left -= count,
            Some(Run::Packed { bytes, count }) => {
                let (groups, rest) = (count / 8, count % 8);
                let (whole, tail) = bytes.split_at(groups * pattern.len());
                let bit = |bytes: &[u8], i: usize| bytes[i / 8] >> (i % 8) & 1;
                if whole.chunks_exact(pattern.len()).any(|group| group != pattern)
                    || (0..rest * width as usize).any(|i| bit(tail, i) != bit(pattern, i))
                {
                    return false;
                }
                left -= count;
            }
            _ => return false,
        }
    }
    true
}

/// Whether `count` repetition levels, the first of which belongs to element `first` of a row, are those of rows of
/// exactly `dim` elements.
pub fn rows_of(bytes: &[u8], dim: usize, first: usize, count: usize) -> bool {
    let mut runs = Runs::new(bytes, 1);
    let (mut left, mut at) = (count, first % dim);
    while left > 0 {
        match runs.next_run(left) {
            Some(Run::Repeated { value: 0, count }) if dim == 1 || (count == 1 && at == 0) => {
                at = (at + count) % dim;
                left -= count;
            }
            Some(Run::Repeated { value: 1, count }) if at > 0 && at + count <= dim => {
                at = (at + count) % dim;
                left -= count;
            }
            Some(Run::Packed { bytes, count }) => {
                let mut i = 0;
                while i < count {
                    if i % 8 == 0 && at > 0 && at + 8 <= dim && i + 8 <= count {
                        // Eight elements in the middle of a row.
                        if bytes[i / 8] != 0xff {
                            return false;
                        }
                        (i, at) = (i + 8, at + 8);
                    } else {
                        if (bytes[i / 8] >> (i % 8) & 1 == 0) != (at == 0) {
                            return false;
                        }
                        (i, at) = (i + 1, at + 1);
                    }
                    if at == dim {
                        at = 0;
                    }
                }
                left -= count;
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Encodes values as runs: repeated ones where eight or more are equal, packed groups otherwise.
    fn encode(values: &[u32], width: u32, packed_only: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let varint = |mut value: usize, out: &mut Vec<u8>| {
            while value >= 0x80 {
                out.push(value as u8 | 0x80);
                value >>= 7;
            }
            out.push(value as u8);
        };
        let mut at = 0;
        while at < values.len() {
            let equal = values[at..].iter().take_while(|&&v| v == values[at]).count();
            if !packed_only && (equal >= 8 || at + equal == values.len()) {
                varint(equal << 1, &mut out);
                out.extend_from_slice(&values[at].to_le_bytes()[..width.div_ceil(8) as usize]);
                at += equal;
            } else {
                varint(1 << 1 | 1, &mut out);
                let mut bits = vec![0u8; width as usize];
                for i in 0..8 {
                    let value = values.get(at + i).copied().unwrap_or(0);
                    for b in 0..width as usize {
                        let place = i * width as usize + b;
                        bits[place / 8] |= ((value >> b & 1) as u8) << (place % 8);
                    }
                }
                out.extend(bits);
                at += 8;
            }
        }
        out
    }

    proptest! {
        #[test]
        fn levels_are_taken_exactly_when_every_row_is_whole(
            dim in 1usize..40, rows in 1usize..20, first in 0usize..40, packed in any::<bool>(), max in 1i16..4,
            flip in prop::option::of(0usize..800),
        ) {
            let first = first % dim;
            let mut repetition: Vec<u32> = (first..rows * dim).map(|i| u32::from(i % dim != 0)).collect();
            prop_assume!(!repetition.is_empty());
            let mut definition = vec![max as u32; repetition.len()];
            let count = repetition.len();
            if let Some(flip) = flip {
                repetition[flip % count] ^= 1;
                definition[flip % count] -= 1;
            }
            let (rep, def) = (encode(&repetition, 1, packed), encode(&definition, width_of(max), packed));
            prop_assert_eq!(rows_of(&rep, dim, first, count), flip.is_none());
            prop_assert_eq!(all_defined(&def, max, count), flip.is_none());
            // Too few levels, and none at all.
            prop_assert!(!rows_of(&rep, dim, first, count + 64) && !rows_of(&[], dim, first, count));
            prop_assert!(!all_defined(&def, max, count + 64) && !all_defined(&[], max, count));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), width in 0u32..33, dim in 1usize..9) {
            let mut runs = Runs::new(&bytes, width);
            for _ in 0..100 {
                let _ = runs.next_run(1000);
            }
            rows_of(&bytes, dim, 3, 100);
            all_defined(&bytes, 3, 100);
        }
    }
}
