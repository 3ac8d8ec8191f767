//! Blocks and jobs above the limits of an adapter.

use super::*;
use crate::compute::gpu::cut::Limits;

/// All of `job`, as the driver would: where the stream is full, in halves.
fn in_halves(gpu: &mut GpuBackend, job: Job, out: &mut Stream) {
    let mut part = Stream::new(out.capacity);
    if gpu.dispatch(&job, &mut part).unwrap() == Dispatch::Done {
        out.survivors.append(&mut part.survivors);
        for (total, counts) in out.histogram.iter_mut().flatten().zip(part.histogram.iter().flatten()) {
            *total += counts;
        }
        return;
    }
    let middle = job.rows.len() / 2;
    assert!(middle > 0, "one row fits");
    let (mut low, mut high) = (job.clone(), job);
    low.rows.end = low.rows.start + middle;
    low.keep_rows.truncate(middle);
    high.rows.start += middle;
    high.keep_rows.drain(..middle);
    in_halves(gpu, low, out);
    in_halves(gpu, high, out);
}

#[test]
fn tiny_limits_change_nothing() {
    let Some(mut free) = backend(&plain()) else { return };
    let (rows, columns) = (block(0, 300, 384), block(200, 290, 384));
    // Of 64 KiB: pieces of 42 rows, 5461 survivors. Of 6 KiB: 4 rows, 512 survivors; dispatches of one tile.
    for (binding, groups, part) in [(1 << 16, 2, 0..300), (100_000, 65_535, 0..300), (6 << 10, 1, 190..230)] {
        let options = Options { limits: Some(Limits { binding, groups }), ..plain() };
        let Some(mut tiny) = backend(&options) else { return };
        let mut job = whole(&rows, &columns, 0.47, HistogramMode::Exact { width: 1e-4 });
        job.keep_rows.truncate(part.len());
        job.rows = part;
        // Each row and column its own, so that a piece that took another's would be noticed.
        for (i, keep) in job.keep_rows.iter_mut().chain(&mut job.keep_columns).enumerate() {
            *keep += 0.01 * (i % 7) as f32 - 0.03;
        }
        let all = find(&mut free, &rows, &columns, &job);
        assert!(all.survivors.len() > binding as usize / 12, "{} do not overflow", all.survivors.len());
        tiny.load(Side::Rows, Arc::new(rows.clone())).unwrap();
        tiny.load(Side::Columns, Arc::new(columns.clone())).unwrap();
        let mut out = Stream::new(1 << 20);
        in_halves(&mut tiny, job, &mut out);
        assert!(sorted(&out) == sorted(&all), "binding {binding}, groups {groups}");
    }
}

#[test]
fn a_row_longer_than_a_binding_is_an_error() {
    let options = Options { limits: Some(Limits { binding: 1 << 16, groups: 65_535 }), ..plain() };
    let Some(mut gpu) = backend(&options) else { return };
    gpu.load(Side::Rows, Arc::new(block(0, 2, 16_384))).unwrap();
    let message = gpu.load(Side::Rows, Arc::new(block(0, 2, 16_385))).unwrap_err().to_string();
    assert!(message.contains("a row of 16385 values takes 65568 bytes"), "{message}");
    assert!(message.contains("65536") && message.contains("--backend cpu"), "{message}");
}

/// A block larger than one binding of the driver itself (128 MiB on software Vulkan), where its pieces meet.
#[test]
fn a_block_above_the_binding_limit_of_the_adapter() {
    let Some(adapter) = adapter() else { return };
    let limits = Limits::of(&adapter.limits());
    let dim = 4096;
    let seam = limits.piece_rows(dim * 4);
    if limits.binding > 1 << 28 {
        return; // Pieces are cut at 256 MiB there: too much for a test.
    }
    let mut gpu = GpuBackend::new(&adapter, &plain()).unwrap();
    let near = block(seam - 40, 80, dim);
    let mut unit = vec![0.0; (seam - 40) * dim];
    unit.extend_from_slice(&near.unit_rows(0..80));
    let mut far = Block { vectors: Vectors::Unit(unit), ..Block::default() };
    for (to, from) in [(&mut far.query, &near.query), (&mut far.model, &near.model)] {
        to.resize(seam - 40, 0);
        to.extend_from_slice(from);
    }
    far.half_bound.resize(seam - 40, 0.0);
    far.half_bound.extend_from_slice(&near.half_bound);
    let mut job = whole(&near, &near, 0.3, HistogramMode::Exact { width: 1e-4 });
    let expected = sorted(&find(&mut gpu, &near, &near, &job));
    (job.rows, job.columns) = (seam - 40..seam + 40, seam - 40..seam + 40);
    let mut found = find(&mut gpu, &far, &far, &job);
    for survivor in &mut found.survivors {
        survivor.row -= (seam - 40) as u32;
        survivor.column_and_flag -= (seam - 40) as u32;
    }
    assert_eq!(sorted(&found), expected);
}

/// Of four blocks three have room: those used last stay, and what is in use goes last.
#[test]
fn blocks_stay_while_the_budget_lasts() {
    for options in every_kernel() {
        let dim = 67;
        let bytes = 100 * (options.kernel.format().row_bytes(dim) + 16) as u64;
        let Some(mut gpu) = backend(&Options { memory: Some(3 * bytes + 50), ..options.clone() }) else { return };
        let blocks: Vec<Arc<Block>> = (0..4).map(|i| Arc::new(block(100 * i, 100, dim))).collect();
        let mut free = backend(&options).unwrap();
        let mut pairs = |gpu: &mut GpuBackend, rows: usize, columns: usize| {
            let job = whole(&blocks[rows], &blocks[columns], 0.3, HistogramMode::Coarse);
            let expected = sorted(&find(&mut free, &blocks[rows], &blocks[columns], &job));
            gpu.load(Side::Rows, Arc::clone(&blocks[rows])).unwrap();
            gpu.load(Side::Columns, Arc::clone(&blocks[columns])).unwrap();
            let mut out = Stream::new(10_000);
            gpu.dispatch(&job, &mut out).unwrap();
            assert_eq!(sorted(&out), expected, "{rows} and {columns}");
            gpu.uploads()
        };
        for (rows, columns, uploads) in [
            (0, 0, 1),
            (0, 1, 2),
            (0, 2, 3),
            (0, 1, 3),
            // 2 was not used for longest.
            (0, 3, 4),
            (0, 1, 4),
            // 3 was, since 0 is the rows'.
            (0, 2, 5),
            (1, 2, 5),
            (1, 3, 6),
            // 0 went.
            (0, 3, 7),
        ] {
            assert_eq!(pairs(&mut gpu, rows, columns), uploads, "{rows} and {columns}");
        }
    }
}
