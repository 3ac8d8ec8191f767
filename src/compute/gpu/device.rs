//! An opened device: buffers, uploads, submissions, reading back, and every failure as an [`Error::Device`].
//!
//! wgpu reports most errors to a handler (whose default panics) and a lost device to a callback; both put their message
//! where [`Device::check`] finds it.

use crate::base::{Error, Result};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the handlers heard.
#[derive(Debug, Default)]
struct Failures {
    /// The device is gone; this stays.
    lost: Option<String>,
    /// First error since the last check.
    error: Option<String>,
}

/// A device, its queue and what went wrong with them.
pub(super) struct Device {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    failures: Arc<Mutex<Failures>>,
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
    /// Opens `adapter` with its own limits.
    pub(super) fn open(adapter: &wgpu::Adapter) -> Result<Self> {
        let name = adapter.get_info().name;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("hivescope"),
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| device_error(&name, e))?;
        let failures = Arc::new(Mutex::new(Failures::default()));
        let heard = Arc::clone(&failures);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let message = match error {
                wgpu::Error::OutOfMemory { .. } => "out of device memory".to_owned(),
                other => one_line(&other.to_string()),
            };
            lock(&heard).error.get_or_insert(message);
        }));
        let heard = Arc::clone(&failures);
        device.set_device_lost_callback(move |reason, message| {
            lock(&heard).lost.get_or_insert(one_line(&format!("the device was lost\n{reason:?}\n{message}")));
        });
        Ok(Self { device, queue, name, failures })
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
        let mut failures = lock(&self.failures);
        // The error first: it may be why the device was lost.
        let error = failures.error.take();
        match error.or_else(|| failures.lost.clone()) {
            Some(message) => Err(self.error(message)),
            None => Ok(()),
        }
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

    /// Uploads rows of `dim` values to `buffer`, each padded with zeros to `padded` values, straight into the staging
    /// memory of the driver.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no memory for it or the device is lost.
    pub(super) fn write_rows(&self, buffer: &wgpu::Buffer, rows: &[f32], dim: usize, padded: usize) -> Result<()> {
        let count = rows.len().checked_div(dim).unwrap_or(0);
        let Some(size) = wgpu::BufferSize::new((count * padded * 4) as u64) else { return Ok(()) };
        let Some(mut view) = self.queue.write_buffer_with(buffer, 0, size) else {
            self.check()?;
            return Err(self.error("the upload was refused: the device was lost"));
        };
        if dim == padded {
            view.copy_from_slice(bytemuck::cast_slice(rows));
        } else {
            for (from, start) in rows.chunks_exact(dim).zip((0..).step_by(padded * 4)) {
                view.slice(start..start + dim * 4).copy_from_slice(bytemuck::cast_slice(from));
                view.slice(start + dim * 4..start + padded * 4).fill(0);
            }
        }
        drop(view);
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

    /// Copies `parts` (source, offset, bytes) one after the other behind the commands of `encoder`, waits for all of it
    /// and hands the bytes to `take`: one submission, one mapping.
    ///
    /// # Errors
    /// [`Error::Device`] if anything failed since the last check.
    pub(super) fn read<T>(
        &self,
        mut encoder: wgpu::CommandEncoder,
        pooled: &mut Pooled,
        parts: &[(&wgpu::Buffer, u64, u64)],
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        let size = parts.iter().map(|part| part.2).sum();
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        // Put back at the end only: after an error it may still be mapped.
        let mut kept = std::mem::take(pooled);
        let staging = self.at_least(&mut kept, "staging", size, usage)?;
        let mut at = 0;
        for &(source, offset, bytes) in parts {
            encoder.copy_buffer_to_buffer(source, offset, staging, at, bytes);
            at += bytes;
        }
        self.submit(encoder);
        self.check()?;
        let (send, receive) = std::sync::mpsc::channel();
        staging.slice(..size).map_async(wgpu::MapMode::Read, move |result| drop(send.send(result)));
        let waited = caught(|| self.device.poll(wgpu::PollType::wait_indefinitely()));
        self.check()?;
        waited.map_err(|panic| self.error(panic))?.map_err(|e| self.error(e))?;
        receive
            .try_recv()
            .map_err(|e| self.error(format!("reading back: {e}")))?
            .map_err(|_| self.error("reading back failed: the device was lost"))?;
        let view = staging.slice(..size).get_mapped_range().map_err(|e| self.error(e))?;
        let taken = take(&view);
        drop(view);
        staging.unmap();
        *pooled = kept;
        Ok(taken)
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
