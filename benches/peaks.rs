//! What this machine can do at most: the rate of each instruction that multiplies and adds, and of memory.
//!
//! `peaks [--json]`: every loop works in registers alone, with so many independent accumulators that neither latency nor
//! loads bound it. One thread and all threads at once; the best of many windows of a few milliseconds, since other
//! programs can only slow one down. Operations: a multiplication and an addition are two, whatever their width. Memory:
//! reading, and copying (bytes read and bytes written, without what the cache reads before it writes).
//! Gives a roof for the pair pass: N^2 d operations over the rate of its instruction.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Windows measured, and the least time of one.
const WINDOWS: usize = 40;
const WINDOW: Duration = Duration::from_millis(5);

/// Bytes of the memory that is read and copied: far more than caches hold.
const MEMORY: usize = 512 << 20;

/// A loop over one instruction.
struct Peak {
    name: &'static str,
    /// Operations of one turn of the loop.
    operations: usize,
    /// Turns so many times.
    turn: unsafe fn(u64),
}

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if !json {
        println!("{threads} threads, best of {WINDOWS} windows");
        println!("{:44} {:>12} {:>12}", "", "one thread", "all threads");
    }
    let print = |name: &str, unit: &str, one: f64, all: f64| {
        if json {
            println!(
                "{}",
                serde_json::json!({ "peak": name, "unit": unit, "one_thread": one, "all_threads": all, "threads": threads })
            );
        } else {
            println!("{name:44} {one:12.1} {all:12.1}  {unit}");
        }
    };
    for peak in instructions() {
        let unit = if peak.operations == 1 { "G additions/s" } else { "G operations/s" };
        print(peak.name, unit, rate(&peak, 1), rate(&peak, threads));
    }
    let mut from = vec![1u64; MEMORY / 8];
    let mut to = vec![2u64; MEMORY / 8];
    print("memory read", "GB/s", read(&from, 1), read(&from, threads));
    print("memory copy (read + written)", "GB/s", copy(&mut from, &mut to, 1), copy(&mut from, &mut to, threads));
}

/// G operations a second of `threads` threads together, in the best window.
fn rate(peak: &Peak, threads: usize) -> f64 {
    // SAFETY: `instructions` lists only loops whose instructions this processor has.
    let turn = |turns| unsafe { (peak.turn)(turns) };
    let mut turns = 1 << 10;
    while timed(|| turn(turns)) < WINDOW.as_secs_f64() {
        turns *= 2;
    }
    best(threads, |_| timed(|| turn(turns))) * turns as f64 * peak.operations as f64 / 1e9
}

/// The most that one window of all `threads` did: the sum of 1 / seconds of each, started together.
fn best(threads: usize, window: impl Fn(usize) -> f64 + Sync) -> f64 {
    let (barrier, window) = (&Barrier::new(threads), &window);
    let seconds: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let one = |_| {
                        barrier.wait();
                        window(thread)
                    };
                    (0..WINDOWS).map(one).collect()
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    (0..WINDOWS).map(|i| seconds.iter().map(|thread| 1.0 / thread[i]).sum()).fold(0.0, f64::max)
}

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

/// GB a second read by `threads` threads, each its part.
fn read(memory: &[u64], threads: usize) -> f64 {
    let part = memory.len() / threads;
    let window = |thread: usize| {
        timed(|| {
            let sums =
                memory[thread * part..][..part].as_chunks::<32>().0.iter().fold([0u64; 32], |mut sums, chunk| {
                    for (sum, value) in sums.iter_mut().zip(chunk) {
                        *sum ^= value;
                    }
                    sums
                });
            std::hint::black_box(sums);
        })
    };
    best(threads, window) * (8 * part) as f64 / 1e9
}

/// GB a second that `threads` threads copy, counted as read and as written.
fn copy(from: &mut [u64], to: &mut [u64], threads: usize) -> f64 {
    let part = from.len() / threads;
    let parts: Vec<_> = from.chunks_exact(part).zip(to.chunks_exact_mut(part)).map(std::sync::Mutex::new).collect();
    let window = |thread: usize| match parts[thread].lock() {
        Ok(mut pair) => timed(|| {
            let (from, to) = &mut *pair;
            to.copy_from_slice(from);
            std::hint::black_box(to);
        }),
        Err(_) => f64::INFINITY,
    };
    best(threads, window) * (16 * part) as f64 / 1e9
}

/// Makes a loop over `$step(accumulator, a, b)` with `$count` accumulators in registers of class `$register`. The empty
/// assembly makes `a` unknown to the compiler before each step, so that it can neither lift nor merge nor drop one.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! peak {
    ($name:ident, $($feature:literal)?, $register:ident, $count:literal, $zero:expr, $a:expr, $b:expr, $step:expr) => {
        $(#[target_feature(enable = $feature)])?
        #[allow(asm_sub_register, reason = "the register stands in a comment; how it is written there is all one")]
        fn $name(turns: u64) {
            let mut accumulators = std::hint::black_box([$zero; $count]);
            let (mut a, b) = std::hint::black_box(($a, $b));
            for _ in 0..turns {
                for accumulator in &mut accumulators {
                    // SAFETY: no instruction at all.
                    unsafe {
                        std::arch::asm!("/* {0} */", inout($register) a, options(nomem, nostack, preserves_flags));
                    }
                    *accumulator = $step(*accumulator, a, b);
                }
            }
            std::hint::black_box(accumulators);
        }
    };
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<Peak> {
    use std::arch::x86_64::*;
    // One addition after the other, one a cycle: the clock.
    peak!(clock, , reg, 1, 0u64, 1u64, 0u64, |x: u64, a: u64, _| x.wrapping_add(a));
    peak!(f32_512, "avx512f", zmm_reg, 20, _mm512_setzero_ps(), _mm512_set1_ps(0.3), _mm512_set1_ps(0.7), |x, a, b| {
        _mm512_fmadd_ps(a, b, x)
    });
    peak!(
        f32_256,
        "avx2,fma",
        ymm_reg,
        12,
        _mm256_setzero_ps(),
        _mm256_set1_ps(0.3),
        _mm256_set1_ps(0.7),
        |x, a, b| { _mm256_fmadd_ps(a, b, x) }
    );
    // The operands are loaded as bits: what a type of the intrinsic holds is not the loop's concern.
    peak!(
        bf16_512,
        "avx512f,avx512bf16",
        zmm_reg,
        20,
        _mm512_setzero_ps(),
        _mm512_set1_epi32(0x3e9a_3e9a),
        _mm512_set1_epi32(0x3f33_3f33),
        |x, a, b| {
            // SAFETY: both are 512 bits, and every value is a bf16.
            let (a, b) =
                unsafe { (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b)) };
            _mm512_dpbf16_ps(x, a, b)
        }
    );
    peak!(
        i8_512,
        "avx512f,avx512vnni",
        zmm_reg,
        20,
        _mm512_setzero_si512(),
        _mm512_set1_epi8(77),
        _mm512_set1_epi8(-55),
        |x, a, b| _mm512_dpbusd_epi32(x, a, b)
    );
    peak!(
        i16_512,
        "avx512f,avx512vnni",
        zmm_reg,
        20,
        _mm512_setzero_si512(),
        _mm512_set1_epi16(3),
        _mm512_set1_epi16(-2),
        |x, a, b| { _mm512_dpwssd_epi32(x, a, b) }
    );
    peak!(
        i8_256,
        "avxvnni",
        ymm_reg,
        12,
        _mm256_setzero_si256(),
        _mm256_set1_epi8(77),
        _mm256_set1_epi8(-55),
        |x, a, b| _mm256_dpbusd_avx_epi32(x, a, b)
    );
    peak!(
        i8_avx2,
        "avx2",
        ymm_reg,
        10,
        _mm256_setzero_si256(),
        _mm256_set1_epi8(77),
        _mm256_set1_epi8(-55),
        |x, a, b| {
            let pairs = _mm256_maddubs_epi16(a, b);
            _mm256_add_epi32(x, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    );
    let mut found = vec![Peak { name: "dependent additions, one a cycle", operations: 1, turn: clock }];
    let mut add = |has: bool, name, operations, turn| {
        if has {
            found.push(Peak { name, operations, turn });
        }
    };
    let avx512 = is_x86_feature_detected!("avx512f");
    let avx2 = is_x86_feature_detected!("avx2");
    add(avx512, "f32 vfmadd, 512 bits", 20 * 16 * 2, f32_512 as unsafe fn(u64));
    add(avx2 && is_x86_feature_detected!("fma"), "f32 vfmadd, 256 bits", 12 * 8 * 2, f32_256);
    add(avx512 && is_x86_feature_detected!("avx512bf16"), "bf16 vdpbf16ps, 512 bits", 20 * 32 * 2, bf16_512);
    add(
        avx512 && is_x86_feature_detected!("avx512vnni"),
        "int8 vpdpbusd, 512 bits (AVX-512 VNNI)",
        20 * 64 * 2,
        i8_512,
    );
    add(
        avx512 && is_x86_feature_detected!("avx512vnni"),
        "int16 vpdpwssd, 512 bits (AVX-512 VNNI)",
        20 * 32 * 2,
        i16_512,
    );
    add(is_x86_feature_detected!("avxvnni"), "int8 vpdpbusd, 256 bits (AVX-VNNI)", 12 * 32 * 2, i8_256);
    add(avx2, "int8 vpmaddubsw, vpmaddwd, vpaddd, 256 bits", 10 * 32 * 2, i8_avx2);
    found
}

#[cfg(target_arch = "aarch64")]
fn instructions() -> Vec<Peak> {
    use std::arch::aarch64::*;
    peak!(f32_128, "neon", vreg, 24, vdupq_n_f32(0.0), vdupq_n_f32(0.3), vdupq_n_f32(0.7), |x, a, b| vfmaq_f32(
        x, a, b
    ));
    vec![Peak { name: "f32 fmla, 128 bits", operations: 24 * 4 * 2, turn: f32_128 as unsafe fn(u64) }]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Vec<Peak> {
    Vec::new()
}
