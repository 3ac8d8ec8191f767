//! Anonymous memory for the large arrays of a pass.
//!
//! A `Vec` of some hundred kilobytes may stay in the allocator's heap after it is dropped; the memory budget counts
//! what the process holds, so these arrays are mappings of their own, gone as soon as they are dropped.

use crate::base::{Error, Result};
use bytemuck::Pod;
use memmap2::MmapMut;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A fixed number of plain values, zero at first. Pages that were never written take no memory.
#[derive(Debug)]
pub struct Buffer<T> {
    map: MmapMut,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Room for `len` zeros.
    ///
    /// # Errors
    /// [`Error::Run`] if the system has no memory left.
    pub fn zeroed(len: usize) -> Result<Self> {
        // A mapping can't be empty.
        let bytes = (len * size_of::<T>()).max(1);
        let map = MmapMut::map_anon(bytes).map_err(|e| Error::Run(format!("{bytes} bytes of memory: {e}")))?;
        Ok(Self { map, len, of: PhantomData })
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[..self.len * size_of::<T>()])
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.map[..self.len * size_of::<T>()])
    }
}
