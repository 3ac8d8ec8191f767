//! Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//!
//! A draw is a pure function of (seed, stream, a, b), so results depend neither on the order nor on the number of
//! threads. `stream` names the measure; `a` and `b` are counters such as resample and query.

const MULTIPLIERS: (u32, u32) = (0xD251_1F53, 0xCD9E_8D57);
const WEYL: (u32, u32) = (0x9E37_79B9, 0xBB67_AE85);

/// The ten rounds of Philox 4x32 on one counter and key.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let low = u64::from(MULTIPLIERS.0) * u64::from(counter[0]);
        let high = u64::from(MULTIPLIERS.1) * u64::from(counter[2]);
        counter = [
            (high >> 32) as u32 ^ counter[1] ^ key[0],
            high as u32,
            (low >> 32) as u32 ^ counter[3] ^ key[1],
            low as u32,
        ];
        key = [key[0].wrapping_add(WEYL.0), key[1].wrapping_add(WEYL.1)];
    }
    counter
}

/// A named stream of draws.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream `name` (a measure, a stage) under the user's `seed`.
    pub fn new(seed: u64, name: &str) -> Self {
        let hash = blake3::hash(name.as_bytes());
        let bytes = hash.as_bytes();
        let name = u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
        let key = seed ^ name;
        Self { key: [key as u32, (key >> 32) as u32] }
    }

    /// 64 random bits at counter (a, b).
    pub fn bits(&self, a: u64, b: u64) -> u64 {
        let out = philox([a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32], self.key);
        u64::from(out[0]) | u64::from(out[1]) << 32
    }

    /// A uniform integer in 0..n (multiply-shift; bias under n / 2^64). `n` is at least 1.
    pub fn below(&self, a: u64, b: u64, n: u64) -> u64 {
        ((u128::from(self.bits(a, b)) * u128::from(n)) >> 64) as u64
    }

    /// A uniform f64 in [0, 1) with 53 bits.
    pub fn uniform(&self, a: u64, b: u64) -> f64 {
        (self.bits(a, b) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Shuffles `items` (Fisher and Yates) at counter (a, b): four draws of 32 bits a block, bias under n / 2^32.
    pub fn shuffle<T>(&self, a: u32, b: u64, items: &mut [T]) {
        let mut block = [0; 4];
        for (drawn, last) in (1..items.len()).rev().enumerate() {
            if drawn % 4 == 0 {
                block = philox([a, (drawn / 4) as u32, b as u32, (b >> 32) as u32], self.key);
            }
            let place = (u64::from(block[drawn % 4]) * (last as u64 + 1)) >> 32;
            items.swap(place as usize, last);
        }
    }

    /// A standard normal draw (Box-Muller; `libm` for the same bits everywhere).
    pub fn normal(&self, a: u64, b: u64) -> f64 {
        let out = philox([a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32], self.key);
        let first = ((u64::from(out[0]) | u64::from(out[1]) << 32) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        let second = ((u64::from(out[2]) | u64::from(out[3]) << 32) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        libm::sqrt(-2.0 * libm::log(1.0 - first)) * libm::cos(std::f64::consts::TAU * second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn every_order_is_as_likely() {
        let stream = Stream::new(7, "test");
        let mut counts = std::collections::BTreeMap::new();
        for a in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(a, u64::from(a % 3), &mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        // 1,000 each, standard deviation 31.
        assert!(counts.len() == 24 && counts.values().all(|&n| (850..1150).contains(&n)), "{counts:?}");
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let stream = Stream::new(7, "test");
        let n = 20_000;
        let mean: f64 = (0..n).map(|i| stream.uniform(i, 0)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "uniform mean {mean}");
        let variance: f64 = (0..n).map(|i| stream.normal(i, 1).powi(2)).sum::<f64>() / n as f64;
        assert!((variance - 1.0).abs() < 0.05, "normal variance {variance}");
    }
}
