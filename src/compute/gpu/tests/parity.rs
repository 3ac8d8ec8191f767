//! Every kernel against its CPU mirror, every survivor and every bin.

use super::compare::differences;
use super::*;
use crate::compute::cpu::CpuBackend;
use crate::compute::gpu::kernel::gamma_f32;
use crate::compute::tile::Survivor;

/// Wide enough that the bin of a pair beyond it is certain, and that a good part of the pairs is within.
const EXACT: HistogramMode = HistogramMode::Exact { width: 2e-4 };

/// Both backends on one job, of rows as the kernel stores them.
fn differ(gpu: &mut GpuBackend, rows: &Block, columns: &Block, job: &Job) -> Vec<String> {
    let dim = rows.dim();
    let (rows, columns) = (&stored(rows, gpu.kernel()), &stored(columns, gpu.kernel()));
    let mut cpu = CpuBackend::default();
    // Either bound times |x| |y|, which f32 unit rows may exceed 1 by a little.
    let bound = gpu.gamma(dim).max(cpu.gamma(dim)) * 1.001;
    let streams = (find(gpu, rows, columns, job), find(&mut cpu, rows, columns, job));
    differences((&streams.0, &streams.1), (rows, columns), job, bound)
}

fn assert_same(gpu: &mut GpuBackend, rows: &Block, columns: &Block, job: &Job, what: &str) {
    let found = differ(gpu, rows, columns, job);
    assert!(found.is_empty(), "{what}: {} differences, first {:?}", found.len(), &found[..found.len().min(3)]);
}

#[test]
fn sizes_and_dimensions_at_the_cliffs() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        let (rows, columns) = options.kernel.tile();
        let mut sizes = vec![1, 127, 211];
        sizes.extend([rows, columns].iter().flat_map(|tile| [tile - 1, *tile, tile + 1]));
        sizes.sort_unstable();
        sizes.dedup();
        for dim in [17, 67, 384, 1536] {
            for &n in &sizes {
                let b = block(0, n, dim);
                for (keep, histogram) in
                    [(0.3, EXACT), (f32::NEG_INFINITY, HistogramMode::Coarse), (0.6, HistogramMode::Off)]
                {
                    let job = whole(&b, &b, keep, histogram);
                    let what = format!("{}: {n} x {dim}, {histogram:?}", options.kernel.describe());
                    assert_same(&mut gpu, &b, &b, &job, &what);
                }
            }
        }
    }
}

#[test]
fn rectangles_sub_ranges_and_the_triangle() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        // Blocks that overlap in position, follow each other, precede each other; then parts of them.
        for (first, second) in
            [((0, 211), (100, 150)), ((40, 65), (105, 130)), ((300, 70), (0, 100)), ((150, 90), (100, 211))]
        {
            let (rows, columns) = (block(first.0, first.1, 67), block(second.0, second.1, 67));
            let mut job = whole(&rows, &columns, 0.4, EXACT);
            assert_same(&mut gpu, &rows, &columns, &job, &format!("{first:?} x {second:?}"));
            (job.rows, job.columns) = (13..60, 7..97);
            job.keep_rows.truncate(47);
            job.keep_columns.truncate(90);
            assert_same(&mut gpu, &rows, &columns, &job, &format!("parts of {first:?} x {second:?}"));
            (job.rows, job.columns) = (20..20, 7..97);
            job.keep_rows.clear();
            assert!(find(&mut gpu, &rows, &columns, &job).survivors.is_empty(), "an empty job");
        }
    }
}

/// More tiles down than the shader takes in one band, and a last band that is not whole.
#[test]
fn more_tiles_than_one_band() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        let (rows, columns) = options.kernel.tile();
        let (n, m) = (21 * rows + 3, 2 * columns + 5);
        let (up, down) = (block(0, n, 8), block(n - 3 * columns, m, 8));
        for (a, b) in [(&up, &down), (&down, &up)] {
            let job = whole(a, b, 0.97, HistogramMode::Coarse);
            let what = format!("{}: {} x {}", options.kernel.describe(), a.len(), b.len());
            assert_same(&mut gpu, a, b, &job, &what);
        }
    }
}

#[test]
fn keep_values_of_every_size() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        let b = block(0, 150, 67);
        let values = [f32::NEG_INFINITY, 0.2, f32::INFINITY, 0.5, f32::MAX, -1.0, f32::MIN, 3e38, 0.45];
        let mut job = whole(&b, &b, 0.0, EXACT);
        job.keep_rows = (0..150).map(|i| values[i % 9]).collect();
        job.keep_columns = (0..150).map(|i| values[(i * 4 + 2) % 9]).collect();
        assert_same(&mut gpu, &b, &b, &job, "mixed");
        job.keep_rows.fill(f32::INFINITY);
        job.keep_columns.fill(f32::MAX);
        job.histogram = HistogramMode::Coarse;
        let out = find(&mut gpu, &b, &b, &job);
        assert_eq!((out.survivors.len(), out.histogram.iter().flatten().sum::<u64>()), (0, 150 * 149 / 2));
    }
}

#[test]
fn a_full_stream_is_noticed_to_the_survivor() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        let b = block(0, 211, 67);
        let job = whole(&b, &b, 0.45, EXACT);
        let all = find(&mut gpu, &b, &b, &job);
        let found = all.survivors.len();
        assert!(found > 4096 && found < 211 * 210 / 2, "{found}: more than is read back at first, fewer than all");
        for (capacity, end) in [(3, Dispatch::StreamFull), (found - 1, Dispatch::StreamFull), (found, Dispatch::Done)] {
            let mut out = Stream::new(capacity);
            assert_eq!(gpu.dispatch(&job, &mut out).unwrap(), end, "{capacity} of {found}");
            if end == Dispatch::Done {
                assert_eq!(sorted(&out), sorted(&all));
            }
        }
    }
}

#[test]
fn nothing_rests_on_cleared_memory() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        let (rows, columns) = (block(0, 150, 67), block(150, 130, 67));
        let job = whole(&rows, &columns, 0.3, EXACT);
        let clean = find(&mut gpu, &rows, &columns, &job);
        gpu.poison();
        assert_eq!(sorted(&find(&mut gpu, &rows, &columns, &job)), sorted(&clean));
        // Smaller blocks in larger buffers.
        let (rows, columns) = (block(0, 37, 50), block(37, 41, 50));
        gpu.poison();
        assert_same(&mut gpu, &rows, &columns, &whole(&rows, &columns, 0.3, EXACT), "small after large");
    }
}

/// Each of these would be a wrong kernel; the comparison has to see it.
#[test]
fn a_wrong_shader_is_noticed() {
    for options in every_kernel() {
        for (right, wrong) in [
            ("2u * u32(r.query != c.query)", "2u * u32(r.model != c.model)"),
            ("u32(r.model != c.model)", "u32(r.model == c.model)"),
            ("u32(clamp(x,", "u32(clamp(round(x),"),
            ("return TAKE | NEAR;", "return TAKE;"),
            ("|| s + r.half_bound >= c.keep", ""),
            ("1u << ((bin >> 3u) & 16u)", "1u"),
            ("low += counts & 0xffffu;", "low = counts & 0xffffu;"),
        ] {
            // One copy of the counts has nothing to add up.
            if right.starts_with("low") && !matches!(options.kernel, Kernel::Matrix(_)) {
                continue;
            }
            let Some(options) = changed(&options, right, wrong) else { return };
            let Some(mut gpu) = backend(&options) else { return };
            let b = block(0, 127, 67);
            let job = whole(&b, &b, 0.4, EXACT);
            assert!(!differ(&mut gpu, &b, &b, &job).is_empty(), "{right} as {wrong}");
        }
    }
}

/// The comparison itself: one value, one flag, one pair, one count changed.
#[test]
fn the_comparison_can_fail() {
    let b = block(0, 60, 67);
    let job = whole(&b, &b, 0.4, EXACT);
    let right = find(&mut CpuBackend::default(), &b, &b, &job);
    let same = |wrong: &Stream| differences((wrong, &right), (&b, &b), &job, gamma_f32(67)).is_empty();
    assert!(same(&right));
    let change = |change: &dyn Fn(&mut Stream)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        wrong
    };
    assert!(!same(&change(&|s| s.survivors[7].coarse += 1e-4)));
    assert!(!same(&change(&|s| s.survivors[7].column_and_flag ^= Survivor::NEAR_EDGE)));
    assert!(!same(&change(&|s| s.survivors.truncate(s.survivors.len() - 1))));
    assert!(!same(&change(&|s| s.survivors.push(s.survivors[7]))));
    assert!(!same(&change(&|s| s.survivors[7].row = 59)));
    assert!(!same(&change(&|s| s.histogram[3][100] += 1)));
}
