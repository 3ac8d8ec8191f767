//! The values of a page as f32: PLAIN, RLE_DICTIONARY and BYTE_STREAM_SPLIT of f32, f64, f16 and fixed-size binary.
//!
//! A *value* is what the column stores once per level: an element of a list, or with fixed-size binary a whole row.

use super::levels::{Run, Runs};
use crate::base::similarity::Similarity;
use half::f16;
use half::slice::HalfFloatSliceExt;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Four bytes.
    F32,
    /// Eight bytes, narrowed.
    F64,
    /// Two bytes.
    F16,
    /// A row of so many f32.
    Row(usize),
}

impl Kind {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
            Self::F16 => 2,
            Self::Row(dim) => 4 * dim,
        }
    }

    /// Elements of a value.
    pub fn elements(self) -> usize {
        if let Self::Row(dim) = self { dim } else { 1 }
    }

    /// Little-endian values in `bytes` as f32. `bytes` has as many elements as `out`.
    #[inline]
    pub fn convert(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 | Self::Row(_) => {
                if cfg!(target_endian = "little") {
                    bytemuck::cast_slice_mut::<f32, u8>(out).copy_from_slice(bytes);
                } else {
                    for (to, from) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                        *to = f32::from_le_bytes(*from);
                    }
                }
            }
            Self::F64 => {
                for (to, from) in out.iter_mut().zip(bytes.as_chunks::<8>().0) {
                    *to = f64::from_le_bytes(*from) as f32;
                }
            }
            Self::F16 => {
                // In pieces, so that the conversion takes several values at a time (F16C, NEON) without a heap buffer.
                let mut halves = [f16::ZERO; 64];
                for (to, from) in out.chunks_mut(64).zip(bytes.chunks(128)) {
                    for (half, from) in halves.iter_mut().zip(from.as_chunks::<2>().0) {
                        *half = f16::from_le_bytes(*from);
                    }
                    halves[..to.len()].convert_to_f32_slice(to);
                }
            }
        }
    }
}

/// The dictionary of a column chunk, as f32.
#[derive(Debug)]
pub struct Dictionary {
    values: Vec<f32>,
    elements: usize,
}

impl Dictionary {
    /// From the PLAIN `count` values of a dictionary page; `None` if bytes are missing.
    pub fn new(kind: Kind, bytes: &[u8], count: usize) -> Option<Self> {
        let bytes = bytes.get(..count.checked_mul(kind.bytes())?)?;
        let mut values = vec![0.0; count.checked_mul(kind.elements())?];
        kind.convert(bytes, &mut values);
        Some(Self { values, elements: kind.elements() })
    }
}

/// The values of one page, taken from the first to the last.
#[derive(Debug)]
pub enum Values<'a> {
    /// Values one after the other.
    Plain {
        /// What they are.
        kind: Kind,
        /// Those not taken yet.
        rest: &'a [u8],
    },
    /// Byte j of every value, then byte j + 1 of every value.
    Split {
        /// What they are.
        kind: Kind,
        /// `kind.bytes()` streams of one length.
        bytes: &'a [u8],
        /// The next value.
        next: usize,
    },
    /// Places in a dictionary.
    Indexed {
        /// Where the values are.
        dictionary: &'a Dictionary,
        /// The places.
        runs: Runs<'a>,
        /// Bits of a place.
        width: u32,
        /// The run that is being taken, and how many of its places were.
        run: Option<(Run<'a>, usize)>,
        /// Places not taken yet.
        left: usize,
    },
}

impl<'a> Values<'a> {
    /// PLAIN: `count` values; `None` if bytes are missing.
    pub fn plain(kind: Kind, bytes: &'a [u8], count: usize) -> Option<Self> {
        Some(Self::Plain { kind, rest: bytes.get(..count.checked_mul(kind.bytes())?)? })
    }

    /// BYTE_STREAM_SPLIT: `count` values; `None` unless the bytes are exactly those of `count` values.
    pub fn split(kind: Kind, bytes: &'a [u8], count: usize) -> Option<Self> {
        (bytes.len() == count.checked_mul(kind.bytes())?).then_some(Self::Split { kind, bytes, next: 0 })
    }

    /// RLE_DICTIONARY: a byte with the width of a place, then `count` places as runs. A dictionary of one value has
    /// places of 0 bits.
    pub fn indexed(dictionary: &'a Dictionary, bytes: &'a [u8], count: usize) -> Option<Self> {
        let (&width, rest) = bytes.split_first()?;
        let width = u32::from(width);
        (width <= 32).then(|| Self::Indexed { dictionary, runs: Runs::new(rest, width), width, run: None, left: count })
    }

    /// Fills `out`, a row, with the next values, and returns its norm.
    #[inline]
    pub fn take_row(&mut self, out: &mut [f32], similarity: &Similarity) -> Option<f64> {
        match self {
            Self::Plain { kind: Kind::F32 | Kind::Row(_), rest } => {
                let (now, later) = rest.split_at_checked(4 * out.len())?;
                *rest = later;
                Some(similarity.copy_norm(now, out))
            }
            _ => {
                self.take(out)?;
                Some(similarity.norm(out))
            }
        }
    }

    /// Fills `out` with the next values; `out` holds whole values. `None` if there are not so many, or a place lies
    /// outside the dictionary.
    #[inline]
    pub fn take(&mut self, out: &mut [f32]) -> Option<()> {
        match self {
            Self::Plain { kind, rest } => {
                let (now, later) = rest.split_at_checked(out.len() / kind.elements() * kind.bytes())?;
                kind.convert(now, out);
                *rest = later;
                Some(())
            }
            Self::Split { kind, bytes, next } => {
                let values = out.len() / kind.elements();
                join(*kind, bytes, *next, values, out)?;
                *next += values;
                Some(())
            }
            Self::Indexed { dictionary, runs, width, run, left } => gather(dictionary, runs, *width, run, left, out),
        }
    }
}

/// Puts the streams of BYTE_STREAM_SPLIT together again, `values` values from `first` on.
fn join(kind: Kind, bytes: &[u8], first: usize, values: usize, out: &mut [f32]) -> Option<()> {
    let length = bytes.len() / kind.bytes();
    let stream = |j: usize| bytes[j * length..(j + 1) * length].get(first..first + values);
    match kind {
        Kind::F32 => {
            let (a, b, c, d) = (stream(0)?, stream(1)?, stream(2)?, stream(3)?);
            for ((((out, &a), &b), &c), &d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = f32::from_le_bytes([a, b, c, d]);
            }
        }
        Kind::F16 => {
            for ((out, &a), &b) in out.iter_mut().zip(stream(0)?).zip(stream(1)?) {
                *out = f16::from_le_bytes([a, b]).to_f32();
            }
        }
        Kind::F64 => {
            let mut streams = [[].as_slice(); 8];
            for (j, slot) in streams.iter_mut().enumerate() {
                *slot = stream(j)?;
            }
            for (i, out) in out.iter_mut().enumerate() {
                *out = f64::from_le_bytes(streams.map(|stream| stream[i])) as f32;
            }
        }
        Kind::Row(dim) => {
            for j in 0..dim {
                let (a, b, c, d) = (stream(4 * j)?, stream(4 * j + 1)?, stream(4 * j + 2)?, stream(4 * j + 3)?);
                for i in 0..values {
                    out[i * dim + j] = f32::from_le_bytes([a[i], b[i], c[i], d[i]]);
                }
            }
        }
    }
    Some(())
}

/// Takes places from the runs and copies what stands there.
fn gather<'a>(
    dictionary: &Dictionary,
    runs: &mut Runs<'a>,
    width: u32,
    run: &mut Option<(Run<'a>, usize)>,
    left: &mut usize,
    out: &mut [f32],
) -> Option<()> {
    let elements = dictionary.elements;
    let mut filled = 0;
    while filled < out.len() {
        let (current, taken) = match run.take() {
            Some(run) => run,
            None => (runs.next_run(*left)?, 0),
        };
        let (Run::Repeated { count, .. } | Run::Packed { count, .. }) = current;
        let now = (count - taken).min((out.len() - filled) / elements);
        if now == 0 {
            return None;
        }
        let target = &mut out[filled..filled + now * elements];
        match current {
            Run::Repeated { value, .. } => {
                let from = (value as usize).checked_mul(elements)?;
                let value = dictionary.values.get(from..from + elements)?;
                target.chunks_exact_mut(elements).for_each(|target| target.copy_from_slice(value));
            }
            Run::Packed { bytes, .. } if elements == 1 => {
                for (i, target) in target.iter_mut().enumerate() {
                    *target = *dictionary.values.get(packed(bytes, width, taken + i))?;
                }
            }
            Run::Packed { bytes, .. } => {
                for (i, target) in target.chunks_exact_mut(elements).enumerate() {
                    let from = packed(bytes, width, taken + i) * elements;
                    target.copy_from_slice(dictionary.values.get(from..from + elements)?);
                }
            }
        }
        filled += now * elements;
        *left -= now;
        if taken + now < count {
            *run = Some((current, taken + now));
        }
    }
    Some(())
}

/// The packed value at place `i`, of `width` (0 to 32) bits.
#[inline]
fn packed(bytes: &[u8], width: u32, i: usize) -> usize {
    let bit = i * width as usize;
    let (byte, shift) = (bit / 8, bit % 8);
    let word = match bytes.get(byte..byte + 8) {
        Some(eight) => {
            u64::from_le_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]])
        }
        None => bytes[byte.min(bytes.len())..].iter().rev().fold(0, |word, &b| word << 8 | u64::from(b)),
    };
    (word >> shift & ((1u64 << width) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut values: Values<'_>, count: usize, piece: usize) -> Option<Vec<f32>> {
        let mut out = vec![f32::NAN; count];
        for piece in out.chunks_mut(piece) {
            values.take(piece)?;
        }
        Some(out)
    }

    /// Byte j of every value, then byte j + 1.
    fn split(values: &[Vec<u8>]) -> Vec<u8> {
        (0..values[0].len()).flat_map(|j| values.iter().map(move |value| value[j])).collect()
    }

    #[test]
    fn plain_and_split_give_the_values_of_every_kind_in_any_pieces() {
        let wanted: Vec<f32> = (0..210).map(|i| (i as f32 - 50.0) / 64.0).collect();
        let kinds: [(Kind, Vec<Vec<u8>>); 4] = [
            (Kind::F32, wanted.iter().map(|v| v.to_le_bytes().to_vec()).collect()),
            (Kind::F64, wanted.iter().map(|v| f64::from(*v).to_le_bytes().to_vec()).collect()),
            (Kind::F16, wanted.iter().map(|v| f16::from_f32(*v).to_le_bytes().to_vec()).collect()),
            (Kind::Row(7), wanted.chunks(7).map(|row| row.iter().flat_map(|v| v.to_le_bytes()).collect()).collect()),
        ];
        for (kind, values) in kinds {
            let (count, plain, split) = (values.len(), values.concat(), split(&values));
            for piece in [7, 70, 210] {
                let plain = Values::plain(kind, &plain, count).expect("enough bytes");
                assert_eq!(taken(plain, 210, piece).as_ref(), Some(&wanted), "{kind:?} plain by {piece}");
                let split = Values::split(kind, &split, count).expect("enough bytes");
                assert_eq!(taken(split, 210, piece).as_ref(), Some(&wanted), "{kind:?} split by {piece}");
            }
            assert!(Values::plain(kind, &plain, count + 1).is_none(), "{kind:?}");
            assert!(Values::split(kind, &split, count - 1).is_none(), "{kind:?}");
            let mut short = Values::plain(kind, &plain, count).expect("enough bytes");
            assert!(short.take(&mut [0.0; 217]).is_none(), "{kind:?}");
            let mut short = Values::split(kind, &split, count).expect("enough bytes");
            assert!(short.take(&mut [0.0; 217]).is_none(), "{kind:?}");
        }
    }

    #[test]
    fn places_are_looked_up_and_those_outside_refused() {
        let table: Vec<u8> = [0.5f32, 1.5, 2.5, 3.5, 4.5].iter().flat_map(|v| v.to_le_bytes()).collect();
        let dictionary = Dictionary::new(Kind::F32, &table, 5).expect("enough bytes");
        assert!(Dictionary::new(Kind::F32, &table, 6).is_none());
        // Width 3; ten times place 4; one group of eight: 0 1 2 3 4 0 1 2.
        let packed = [0u32, 1, 2, 3, 4, 0, 1, 2].iter().enumerate().fold(0u32, |bits, (i, v)| bits | v << (3 * i));
        let mut bytes = vec![3, 10 << 1, 4, 1 << 1 | 1];
        bytes.extend_from_slice(&packed.to_le_bytes()[..3]);
        let wanted: Vec<f32> = [[4.5; 10].as_slice(), &[0.5, 1.5, 2.5, 3.5, 4.5, 0.5, 1.5, 2.5]].concat();
        for piece in [1, 4, 18] {
            let values = Values::indexed(&dictionary, &bytes, 18).expect("a width");
            assert_eq!(taken(values, 18, piece).as_ref(), Some(&wanted));
        }
        assert!(taken(Values::indexed(&dictionary, &bytes, 19).expect("a width"), 19, 19).is_none(), "one too many");
        bytes[2] = 5;
        assert!(taken(Values::indexed(&dictionary, &bytes, 18).expect("a width"), 18, 18).is_none(), "place 5 of 5");
        assert!(Values::indexed(&dictionary, &[], 1).is_none() && Values::indexed(&dictionary, &[40, 2], 1).is_none());
    }

    #[test]
    fn packed_places_of_every_width() {
        for width in 0..=32u32 {
            let mask = (1u64 << width) - 1;
            let wanted: Vec<usize> =
                (0..16u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20 & mask) as usize).collect();
            let mut bytes = vec![0u8; 2 * width as usize];
            for (i, value) in wanted.iter().enumerate() {
                for b in 0..width as usize {
                    let place = i * width as usize + b;
                    bytes[place / 8] |= ((value >> b & 1) as u8) << (place % 8);
                }
            }
            let got: Vec<usize> = (0..16).map(|i| packed(&bytes, width, i)).collect();
            assert_eq!(got, wanted, "width {width}");
        }
    }
}
