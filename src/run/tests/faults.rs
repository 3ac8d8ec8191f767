//! Several dispatches under way, and devices that fail: the results stay, or one clear error comes.

use super::*;
use std::collections::VecDeque;

/// Whether a call fails, by the calls so far and the rows of its block or job.
type Fails = fn(usize, usize) -> bool;

/// A device that computes on the CPU at once, and hands results out later.
struct Queued {
    inner: CpuBackend,
    results: VecDeque<(Dispatch, Stream)>,
    depth: usize,
    /// Calls so far, of any kind.
    calls: usize,
    fails: Fails,
    recovers: bool,
}

impl Queued {
    fn new(depth: usize, fails: Fails) -> Self {
        let (inner, results) = (CpuBackend::default(), VecDeque::new());
        Self { inner, results, depth, calls: 0, fails, recovers: true }
    }

    fn call(&mut self, rows: usize) -> crate::base::Result<()> {
        self.calls += 1;
        if (self.fails)(self.calls, rows) { Err(Error::Device("the card: lost".into())) } else { Ok(()) }
    }
}

impl Backend for Queued {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }
    fn gamma(&self, dim: usize) -> f64 {
        self.inner.gamma(dim)
    }
    fn block_rows(&self, dim: usize) -> usize {
        self.inner.block_rows(dim)
    }
    fn dispatch_rows(&self, _dim: usize) -> usize {
        50
    }
    fn in_flight(&self) -> usize {
        self.depth
    }
    fn load(&mut self, side: Side, block: Arc<Block>) -> crate::base::Result<()> {
        self.call(block.len())?;
        self.inner.load(side, block)
    }
    fn submit(&mut self, job: Job, capacity: usize) -> crate::base::Result<()> {
        self.call(job.rows.len())?;
        assert!(self.results.len() < self.depth, "more dispatches under way than it takes");
        let mut out = Stream::new(capacity);
        let end = self.inner.dispatch(&job, &mut out)?;
        self.results.push_back((end, out));
        Ok(())
    }
    fn collect(&mut self, out: &mut Stream) -> crate::base::Result<Dispatch> {
        self.call(0)?;
        let (end, stream) = self.results.pop_front().expect("a dispatch under way");
        *out = stream;
        Ok(end)
    }
    fn recover(&mut self) -> bool {
        if self.recovers {
            self.results.clear();
        }
        self.recovers
    }
}

/// Asks to stop at a look that is counted down.
pub(super) struct Impatient(pub AtomicUsize);

impl Observer for Impatient {
    fn event(&self, _event: Event) {}
    fn stop_requested(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 0
    }
}

fn sample() -> (Corpus, PairSettings) {
    let (rows, n) = (random(400, 33, 9), 400);
    let corpus = corpus(&rows, &(0..n).map(|i| i / 4).collect::<Vec<_>>(), &(0..n).map(|i| i % 4).collect::<Vec<_>>());
    (corpus, PairSettings { k: 7, block_rows: Some(170), threshold: Some(0.3), ..PairSettings::default() })
}

#[test]
fn dispatches_under_way_change_nothing() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    for (depth, stream_capacity) in [(1, None), (2, Some(60)), (3, None), (7, Some(20))] {
        let settings = PairSettings { stream_capacity, ..settings.clone() };
        let outcome = pass(&corpus, &mut Queued::new(depth, |_, _| false), &settings);
        check(&corpus, &outcome, &settings);
        same(&outcome, &expected, &format!("{depth} under way"));
        assert!(stream_capacity.is_none() || outcome.stats.repeated > 0, "streams were full");
    }
}

#[test]
fn a_device_that_is_lost_now_and_then_changes_nothing() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    // Single faults in calls of each kind, several in a row, and blocks that are too large.
    let faults: [(Fails, u64); 4] = [
        (|calls, _| calls == 1, 1),
        (|calls, _| matches!(calls, 9 | 40), 2),
        (|calls, _| matches!(calls, 30..33), 3),
        (|_, rows| rows > 90, 1),
    ];
    for (fails, least) in faults {
        for depth in [1, 3] {
            let outcome = pass(&corpus, &mut Queued::new(depth, fails), &settings);
            check(&corpus, &outcome, &settings);
            same(&outcome, &expected, "with faults");
            assert!(outcome.stats.device_faults >= least, "{} of {least} faults", outcome.stats.device_faults);
        }
    }
}

#[test]
fn a_device_that_stays_lost_ends_the_pass_with_its_error() {
    let (corpus, settings) = sample();
    let end = |mut device: Queued| match pair_pass(&corpus, &mut device, &settings, &Silent) {
        Err(Error::Device(message)) => (message, device.calls),
        other => panic!("a device error was due, not {:?}", other.map(|outcome| outcome.stats)),
    };
    let (message, calls) = end(Queued { recovers: false, ..Queued::new(2, |calls, _| calls == 20) });
    // What was under way is collected for nobody.
    assert!(message == "the card: lost" && calls <= 22, "no second try where it can't recover: {calls} calls");
    let (message, calls) = end(Queued::new(2, |calls, _| calls >= 20));
    assert!(message == "the card: lost" && calls < 40, "it gives up, after {calls} calls");
}

/// What was under way when a pass was interrupted is not found by the next one.
#[test]
fn a_pass_after_an_interrupted_one_begins_anew() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    for looks in [1, 2, 6] {
        let mut device = Queued::new(3, |_, _| false);
        let observer = Impatient(AtomicUsize::new(looks));
        assert!(matches!(pair_pass(&corpus, &mut device, &settings, &observer), Err(Error::Interrupted)));
        assert!(device.results.is_empty(), "{} dispatches are left under way", device.results.len());
        same(&pass(&corpus, &mut device, &settings), &expected, "after an interrupted pass");
    }
}
