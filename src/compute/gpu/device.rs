//! An opened device: buffers, uploads, submissions, reading back, and every failure as an [`Error::Device`].
//!
//! wgpu reports most errors to a handler (whose default panics) and a lost device to a callback; both put their message
//! where [`Device::check`] finds it, and what kind of failure it was where [`Device::fault`] does.

use crate::base::{Error, Result};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Features that kernels or timings use, where there are any.
const FEATURES: wgpu::Features = wgpu::Features::SHADER_F16
    .union(wgpu::Features::SUBGROUP)
    .union(wgpu::Features::SUBGROUP_BARRIER)
    .union(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX)
    .union(wgpu::Features::TIMESTAMP_QUERY);

/// A failure after which smaller blocks may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The device is gone, for ever.
    Lost,
    /// There is no memory for a buffer.
    OutOfMemory,
}

/// What the handlers heard.
#[derive(Debug, Default)]
struct Failures {
    /// The device is gone; this stays.
    lost: Option<String>,
    /// First error since the last check.
    error: Option<String>,
    /// Whether memory ran out, ever.
    out_of_memory: bool,
}

/// A device, its queue and what went wrong with them.
pub(super) struct Device {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    failures: Arc<Mutex<Failures>>,
    #[cfg(test)]
    faults: Arc<super::tests::Faults>,
}

/// A submission whose results are on their way to a staging buffer.
pub(super) struct UnderWay {
    index: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
    bytes: u64,
}

/// A buffer that is kept from dispatch to dispatch and only grows. Its contents are whatever was there before.
#[derive(Default)]
pub(super) struct Pooled(Option<wgpu::Buffer>);

fn lock(failures: &Mutex<Failures>) -> MutexGuard<'_, Failures> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

/// wgpu's messages are indented over several lines; one line here.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(": ")
}

/// An error that names the device and the flag that helps.
fn device_error(name: &str, problem: impl Display) -> Error {
    Error::Device(format!("{name}: {problem} (`--backend cpu` computes the same tables without it)"))
}

impl Device {
    /// Opens `adapter` with its own limits and the features that kernels use.
    ///
    /// # Errors
    /// [`Error::Device`] if it can't be opened even without those features.
    pub(super) fn open(adapter: &wgpu::Adapter) -> Result<Self> {
        let name = adapter.get_info().name;
        let request = |features: wgpu::Features| {
            let descriptor = wgpu::DeviceDescriptor {
                label: Some("hivescope"),
                required_features: features,
                required_limits: adapter.limits(),
                experimental_features: if features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
                    // SAFETY: of what is experimental only cooperative matrices are used, by a shader that is validated
                    // for every shape in the tests, on shapes that the adapter lists, after a self-test.
                    unsafe { wgpu::ExperimentalFeatures::enabled() }
                } else {
                    wgpu::ExperimentalFeatures::disabled()
                },
                ..wgpu::DeviceDescriptor::default()
            };
            // Some drivers list features that they then refuse, and wgpu 30 panics there.
            caught(|| pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| e.to_string()))
                .and_then(std::convert::identity)
        };
        let (device, queue) = request(adapter.features() & FEATURES)
            .or_else(|_| request(wgpu::Features::empty()))
            .map_err(|e| device_error(&name, e))?;
        let failures = Arc::new(Mutex::new(Failures::default()));
        let heard = Arc::clone(&failures);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut failures = lock(&heard);
            let message = match error {
                wgpu::Error::OutOfMemory { .. } => {
                    failures.out_of_memory = true;
                    "out of device memory".to_owned()
                }
                other => one_line(&other.to_string()),
            };
            failures.error.get_or_insert(message);
        }));
        let heard = Arc::clone(&failures);
        device.set_device_lost_callback(move |reason, message| {
            lock(&heard).lost.get_or_insert(one_line(&format!("the device was lost\n{reason:?}\n{message}")));
        });
        Ok(Self {
            device,
            queue,
            name,
            failures,
            #[cfg(test)]
            faults: Arc::default(),
        })
    }

    /// Features that it was opened with.
    pub(super) fn features(&self) -> wgpu::Features {
        self.device.features()
    }

    /// What failed so far that smaller blocks may mend.
    ///
    /// Not every loss is told: wgpu 30 creates buffers and takes submissions on a lost device without a word, and what
    /// comes of them fails in many ways. So a device without another fault is tried.
    pub(super) fn fault(&self) -> Option<Fault> {
        let known = || {
            let failures = lock(&self.failures);
            match (&failures.lost, failures.out_of_memory) {
                (Some(_), _) => Some(Fault::Lost),
                (None, true) => Some(Fault::OutOfMemory),
                (None, false) => None,
            }
        };
        known().or_else(|| if self.wait() { known() } else { Some(Fault::Lost) })
    }

    /// Waits until everything that was submitted is done, and its buffers that nobody wants any more are free; false if it
    /// does not come to its end.
    pub(super) fn wait(&self) -> bool {
        caught(|| {
            let index = self.queue.submit([]);
            self.device.poll(wgpu::PollType::Wait { submission_index: Some(index), timeout: None })
        })
        .is_ok_and(|end| end.is_ok())
    }

    /// Forgets that memory ran out.
    pub(super) fn forgive(&self) {
        lock(&self.failures).out_of_memory = false;
    }

    /// Nanoseconds of a tick of its timestamps, if it has any.
    pub(super) fn timestamp_period(&self) -> Option<f32> {
        self.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| self.queue.get_timestamp_period())
    }

    /// What wgpu knows as the device.
    pub(super) fn raw(&self) -> &wgpu::Device {
        &self.device
    }

    /// An error of this device.
    pub(super) fn error(&self, problem: impl Display) -> Error {
        device_error(&self.name, problem)
    }

    /// What the handlers heard since the last check.
    ///
    /// # Errors
    /// [`Error::Device`] if there was anything, and for ever after the device was lost.
    pub(super) fn check(&self) -> Result<()> {
        let error = {
            let mut failures = lock(&self.failures);
            if failures.error.is_none() && failures.lost.is_none() {
                return Ok(());
            }
            failures.error.take()
        };
        // A device that is lost says so when it is polled; what is asked of it before fails in words of its own.
        drop(caught(|| self.device.poll(wgpu::PollType::Poll)));
        let failures = lock(&self.failures);
        Err(self.error(match (&failures.lost, error) {
            (Some(lost), Some(error)) => format!("{lost} ({error})"),
            (Some(lost), None) => lost.clone(),
            (None, error) => error.unwrap_or_default(),
        }))
    }

    /// An error that only a lost device gives: it counts as lost even if no callback said so.
    fn lost(&self, problem: &str) -> Error {
        drop(caught(|| self.device.poll(wgpu::PollType::Poll)));
        let mut failures = lock(&self.failures);
        let lost = failures.lost.get_or_insert_with(|| "the device was lost".into());
        self.error(format!("{problem}: {lost}"))
    }

    /// A buffer of at least `size` bytes from the pool slot `pooled`.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no memory for it.
    pub(super) fn at_least<'a>(
        &self,
        pooled: &'a mut Pooled,
        label: &str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<&'a wgpu::Buffer> {
        if pooled.0.as_ref().is_none_or(|buffer| buffer.size() < size) {
            // The old one goes first, so that both need not fit.
            pooled.0 = None;
            #[cfg(test)]
            if self.faults.allocation(size) {
                let mut failures = lock(&self.failures);
                failures.out_of_memory = true;
                failures.error.get_or_insert("out of device memory".into());
            }
            self.check()?;
            let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
            let buffer = self.device.create_buffer(&descriptor);
            self.check()?;
            pooled.0 = Some(buffer);
        }
        pooled.get().ok_or_else(|| self.error("a buffer is missing"))
    }

    /// Uploads `bytes` (a multiple of 4) to the start of `buffer`.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.queue.write_buffer(buffer, offset, bytes);
    }

    /// Uploads `bytes` (a multiple of 4) to `buffer` at `offset` and sends them off, so that the staging memory of the
    /// driver is free again once the device has them.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no memory for it or the device is lost.
    pub(super) fn upload(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
        let Some(size) = wgpu::BufferSize::new(bytes.len() as u64) else { return Ok(()) };
        let Some(mut view) = self.queue.write_buffer_with(buffer, offset, size) else {
            if self.wait() {
                lock(&self.failures).out_of_memory = true;
                return Err(self.error("out of memory for an upload"));
            }
            return Err(self.lost("the upload was refused"));
        };
        view.copy_from_slice(bytes);
        drop(view);
        self.queue.submit([]);
        caught(|| self.device.poll(wgpu::PollType::Poll))
            .map_err(|panic| self.error(panic))?
            .map_err(|e| self.error(e))?;
        self.check()
    }

    /// Fills `buffer` with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self, buffer: &wgpu::Buffer) {
        self.queue.write_buffer(buffer, 0, &vec![0xff; buffer.size() as usize]);
    }

    /// Loses the device.
    #[cfg(test)]
    pub(super) fn destroy(&self) {
        self.device.destroy();
    }

    /// A new list of commands.
    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Sends commands to the device without waiting for them.
    pub(super) fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.queue.submit([encoder.finish()]);
    }

    /// Copies `parts` (source, offset, bytes) one after the other to `staging` behind the commands of `encoder`, without
    /// waiting: one submission, one mapping. The buffer must not be touched before [`Self::finish`].
    ///
    /// # Errors
    /// [`Error::Device`] if anything failed since the last check.
    pub(super) fn start_reading(
        &self,
        mut encoder: wgpu::CommandEncoder,
        staging: &mut Pooled,
        parts: &[(&wgpu::Buffer, u64, u64)],
    ) -> Result<UnderWay> {
        let bytes = parts.iter().map(|part| part.2).sum();
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let buffer = self.at_least(staging, "staging", bytes, usage)?;
        let mut at = 0;
        for &(source, offset, bytes) in parts {
            encoder.copy_buffer_to_buffer(source, offset, buffer, at, bytes);
            at += bytes;
        }
        #[cfg(test)]
        if self.faults.submission() {
            self.device.destroy();
        }
        let index = self.queue.submit([encoder.finish()]);
        self.check()?;
        let (send, mapped) = std::sync::mpsc::channel();
        buffer.slice(..bytes).map_async(wgpu::MapMode::Read, move |result| drop(send.send(result)));
        Ok(UnderWay { index, mapped, bytes })
    }

    /// Waits for a submission and hands the bytes that it read to `take`.
    ///
    /// # Errors
    /// [`Error::Device`] if anything failed since the last check.
    pub(super) fn finish<T>(
        &self,
        under_way: &UnderWay,
        staging: &mut Pooled,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        // Put back at the end only: after an error it may still be mapped.
        let kept = std::mem::take(staging);
        let buffer = kept.get().ok_or_else(|| self.error("a buffer is missing"))?;
        let wait = wgpu::PollType::Wait { submission_index: Some(under_way.index.clone()), timeout: None };
        let waited = caught(|| self.device.poll(wait));
        self.check()?;
        waited.map_err(|panic| self.error(panic))?.map_err(|e| self.error(e))?;
        under_way
            .mapped
            .try_recv()
            .map_err(|e| self.error(format!("reading back: {e}")))?
            .map_err(|_| self.lost("reading back failed"))?;
        let view = buffer.slice(..under_way.bytes).get_mapped_range().map_err(|e| self.error(e))?;
        let taken = take(&view);
        drop(view);
        buffer.unmap();
        *staging = kept;
        Ok(taken)
    }

    /// What a test makes go wrong.
    #[cfg(test)]
    pub(super) fn faults(&self) -> Arc<super::tests::Faults> {
        Arc::clone(&self.faults)
    }

    /// What a test makes go wrong.
    #[cfg(test)]
    pub(super) fn set_faults(&mut self, faults: Arc<super::tests::Faults>) {
        self.faults = faults;
    }
}

impl Pooled {
    /// The buffer, if it was ever asked for.
    pub(super) fn get(&self) -> Option<&wgpu::Buffer> {
        self.0.as_ref()
    }
}

/// wgpu 30 panics where the device is lost while `Device::poll` waits for it; here that is an error like others.
fn caught<T>(action: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|panic| {
        let message = (panic.downcast_ref::<String>().map(String::as_str)).or(panic.downcast_ref::<&str>().copied());
        one_line(message.unwrap_or("the driver interface panicked"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_driver_interface_is_an_error() {
        assert_eq!(caught(|| 3), Ok(3));
        let message = caught(|| -> u8 { panic!("Error in Device::poll:\n   {}", "Parent device is lost") });
        assert_eq!(message.unwrap_err(), "Error in Device::poll:: Parent device is lost");
    }
}
