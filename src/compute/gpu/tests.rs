//! Against a naive mirror; HIVESCOPE_TEST_GPU=require makes a missing adapter a failure.

use super::*;
use crate::compute::outcome::BINS;
use crate::compute::tile::{Block, Dispatch, HistogramMode, Job, Side, Stream};

fn backend() -> Option<Box<dyn Backend>> {
    match open(Some("software")).or_else(|_| open(None)) {
        Ok(backend) => Some(backend),
        Err(error) if std::env::var("HIVESCOPE_TEST_GPU").as_deref() == Ok("require") => panic!("{error}"),
        Err(_) => {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("skipped: no Vulkan adapter");
            }
            None
        }
    }
}

fn block(n: usize, dim: usize) -> Block {
    let stream = crate::base::random::Stream::new(7, "gpu");
    let mut unit: Vec<f32> = (0..(n * dim) as u64).map(|i| stream.normal(1, i) as f32).collect();
    for row in unit.chunks_mut(dim) {
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        row.iter_mut().for_each(|v| *v /= norm);
    }
    let id = |m: u32| (0..n as u32).map(|i| i % m).collect::<Vec<_>>();
    Block { first: 0, unit, half_bound: vec![1e-6; n], query: id(5), model: id(3) }
}

/// Number of pairs on which the stream and the mirror disagree.
fn disagreements(b: &Block, dim: usize, keep: f32, width: f32, out: &Stream) -> usize {
    let found: std::collections::HashMap<_, _> =
        out.survivors.iter().map(|s| ((s.row as usize, s.column() as usize), *s)).collect();
    let n = b.len();
    let mut bad = out.survivors.len() - found.len();
    let mut near = 0;
    for i in 0..n {
        for j in i + 1..n {
            let s: f64 = (0..dim).map(|k| f64::from(b.unit[i * dim + k]) * f64::from(b.unit[j * dim + k])).sum();
            let x = (s + 1.0) * 100.0;
            let far = (x - x.round()).abs();
            let got = found.get(&(i, j));
            if let Some(g) = got {
                bad += usize::from((f64::from(g.coarse) - s).abs() > 1e-5);
                near += usize::from(g.near_edge());
                bad += usize::from(g.near_edge() && far > f64::from(width) * 100.0 + 2e-3);
            }
            if (s - f64::from(keep)).abs() > 1e-5 && s > f64::from(keep) {
                bad += usize::from(got.is_none());
            } else if s < f64::from(keep) - 1e-5 {
                bad += usize::from(got.is_some_and(|g| !g.near_edge()));
            }
        }
    }
    let counted: u64 = out.histogram.iter().flatten().sum();
    bad + usize::from(counted as usize + near != n * n.saturating_sub(1) / 2)
        + usize::from(out.histogram[0].len() != BINS)
}

#[test]
fn parity_overflow_and_a_check_that_can_fail() {
    let Some(mut gpu) = backend() else { return };
    for (n, dim) in
        [1, 63, 64, 65, 127, 211].into_iter().flat_map(|n| [17, 67, 384].map(|d| (n, d))).chain([(65, 1536)])
    {
        let mut b = block(n, dim);
        gpu.load(Side::Rows, b.clone()).unwrap();
        gpu.load(Side::Columns, b.clone()).unwrap();
        let keep = vec![0.05; n];
        let job = Job {
            rows: 0..n,
            columns: 0..n,
            keep_rows: keep.clone(),
            keep_columns: keep,
            histogram: HistogramMode::Exact { width: 1e-5 },
        };
        let mut out = Stream::new(n * n);
        assert_eq!(gpu.dispatch(&job, &mut out).unwrap(), Dispatch::Done);
        assert_eq!(disagreements(&b, dim, 0.05, 1e-5, &out), 0, "{n} x {dim}");
        if n > 60 {
            b.unit[0] += 1.0;
            assert_ne!(disagreements(&b, dim, 0.05, 1e-5, &out), 0);
            assert_eq!(gpu.dispatch(&job, &mut Stream::new(3)).unwrap(), Dispatch::StreamFull);
        }
    }
}

#[test]
fn the_uniform_has_the_shaders_size() {
    assert_eq!(size_of::<params::Params>(), 48);
}
