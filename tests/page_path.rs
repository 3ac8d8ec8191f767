//! The page path against arrow-rs on files made at random: the same bits, the same errors, and where a file is plain,
//! no row group left to arrow-rs.

use crate::fixtures::{batch, options, write};
use arrow::array::{ArrayRef, FixedSizeBinaryArray, Float16Array, Float32Array, Float64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use hivescope::base::random::Stream;
use hivescope::base::{Event, Observer};
use hivescope::input::{InputOptions, Io, OnBadRow, read};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Keeps the sentences about how files were read.
#[derive(Default)]
struct Details(Mutex<Vec<String>>);

impl Observer for Details {
    fn event(&self, event: Event) {
        if let Event::Detail { message } = event {
            self.0.lock().unwrap().push(message);
        }
    }
}

/// What is wrong with one row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    NullRow,
    NullElement,
    Ragged,
    Empty,
    NotANumber,
    Infinite,
    Zero,
    TooLarge,
}

const FAULTS: [Fault; 8] = [
    Fault::NullRow,
    Fault::NullElement,
    Fault::Ragged,
    Fault::Empty,
    Fault::NotANumber,
    Fault::Infinite,
    Fault::Zero,
    Fault::TooLarge,
];

#[derive(Debug, Clone)]
struct File {
    kind: usize,
    rows: usize,
    dim: usize,
    group_rows: usize,
    page_bytes: usize,
    codec: Compression,
    version: WriterVersion,
    encoding: Option<Encoding>,
    /// Distinct values: few of them make a dictionary stay.
    distinct: u64,
    nullable: bool,
    fault: (Fault, usize),
    io: Io,
    in_scratch: bool,
    seed: u64,
}

fn files() -> impl Strategy<Value = File> {
    let codecs = vec![
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let shape = (0usize..4, 2usize..120, 1usize..70, 1usize..130, prop::sample::select(vec![16usize, 400, 1 << 20]));
    let layout = (
        prop::sample::select(codecs),
        prop::sample::select(vec![WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]),
        prop::sample::select(vec![None, Some(Encoding::PLAIN), Some(Encoding::BYTE_STREAM_SPLIT)]),
        prop::sample::select(vec![3u64, 40, 1 << 40]),
        any::<bool>(),
    );
    let fault = prop_oneof![3 => Just(Fault::None), 2 => prop::sample::select(FAULTS.to_vec())];
    let reading = (fault, any::<usize>(), prop::sample::select(vec![Io::Mmap, Io::Pread]), any::<bool>(), any::<u64>());
    (shape, layout, reading).prop_map(|(shape, layout, reading)| File {
        kind: shape.0,
        rows: shape.1,
        dim: shape.2,
        group_rows: shape.3,
        page_bytes: shape.4,
        codec: layout.0,
        version: layout.1,
        encoding: layout.2,
        distinct: layout.3,
        nullable: layout.4,
        fault: (reading.0, reading.1 % shape.1),
        io: reading.2,
        in_scratch: reading.3,
        seed: reading.4,
    })
}

/// A list column of `items` with the fault in its offsets or its validity.
fn list_of(items: ArrayRef, lengths: &[usize], file: &File) -> ArrayRef {
    let valid =
        (file.fault.0 == Fault::NullRow).then(|| NullBuffer::from_iter((0..file.rows).map(|row| row != file.fault.1)));
    let nullable = file.nullable || items.null_count() > 0;
    let field = Arc::new(Field::new("element", items.data_type().clone(), nullable));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), items, valid))
}

impl File {
    /// The embedding column.
    fn column(&self) -> ArrayRef {
        let draws = Stream::new(self.seed, "page path");
        let mut rows: Vec<Vec<f64>> = (0..self.rows as u64)
            .map(|row| {
                // Multiples of 1/64 up to 32: exact in f16.
                let value = |i: u64| f64::from(draws.below(row, i, 4096) as u32 + 1) / 64.0 - 32.5;
                (0..self.dim as u64).map(|i| value(if self.distinct < 100 { i % self.distinct } else { i })).collect()
            })
            .collect();
        if self.distinct < 100 {
            let few = rows[0].clone();
            rows.iter_mut()
                .enumerate()
                .for_each(|(r, row)| (0..self.dim).for_each(|i| row[i] = few[(r + i) % self.dim]));
        }
        let (fault, at) = self.fault;
        let row = &mut rows[at];
        let last = row.len() - 1;
        match fault {
            Fault::Ragged => row.push(1.0),
            Fault::Empty => row.clear(),
            Fault::NotANumber => row[last] = f64::NAN,
            Fault::Infinite => row[0] = f64::NEG_INFINITY,
            Fault::Zero => row.fill(0.0),
            Fault::TooLarge => row[last / 2] = 1e300,
            Fault::None | Fault::NullRow | Fault::NullElement => {}
        }
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let null = (fault == Fault::NullElement).then_some(at * self.dim + last);
        let items = rows.concat();
        let items = items.iter().enumerate().map(|(i, &v)| (Some(i) != null).then_some(v));
        match self.kind {
            0 => list_of(Arc::new(items.map(|v| v.map(|v| v as f32)).collect::<Float32Array>()), &lengths, self),
            1 => list_of(Arc::new(items.collect::<Float64Array>()), &lengths, self),
            2 => list_of(Arc::new(items.map(|v| v.map(half::f16::from_f64)).collect::<Float16Array>()), &lengths, self),
            _ => {
                let bytes = |row: &Vec<f64>| row.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect::<Vec<u8>>();
                let null = matches!(fault, Fault::NullRow | Fault::NullElement).then_some(at);
                let values = rows.iter().enumerate().map(|(r, row)| (Some(r) != null).then(|| bytes(row)));
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 4 * self.dim as i32).unwrap())
            }
        }
    }

    fn write(&self, path: &Path) {
        let mut properties = WriterProperties::builder()
            .set_compression(self.codec)
            .set_writer_version(self.version)
            .set_max_row_group_row_count(Some(self.group_rows))
            .set_data_page_size_limit(self.page_bytes)
            .set_dictionary_page_size_limit(self.page_bytes)
            .set_write_batch_size(1 + self.page_bytes / 16);
        if let Some(encoding) = self.encoding {
            let column = if self.kind == 3 { "embedding" } else { "embedding.list.element" };
            properties = properties.set_dictionary_enabled(false).set_column_encoding(column.into(), encoding);
        }
        write(path, &batch(self.column()), properties.build());
    }

    /// A row of another length doesn't fit in fixed-size binary.
    fn makes_sense(&self) -> bool {
        match self.fault.0 {
            Fault::Ragged | Fault::Empty => self.kind != 3,
            _ => true,
        }
    }
}

/// A hash of the values and the norms by row, rows, and rows left out.
type Read = (String, usize, u64);

/// The corpus, or the error; and what was said about pages.
fn outcome(options: &InputOptions) -> (Result<Read, String>, Vec<String>) {
    let details = Details::default();
    let read = read(options, &details).map_err(|error| error.to_string()).map(|corpus| {
        let mut bits = blake3::Hasher::new();
        for &position in &corpus.layout.position_of {
            bits.update(bytemuck::cast_slice(corpus.embeddings.row(position as usize)));
            bits.update(&corpus.embeddings.norms()[position as usize].to_le_bytes());
        }
        (bits.finalize().to_hex().to_string(), corpus.len(), corpus.skipped)
    });
    (read, details.0.into_inner().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_and_arrow_give_the_same_bits_and_the_same_errors(file in files()) {
        prop_assume!(file.makes_sense());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.parquet");
        file.write(&path);
        for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
            let through_arrow = InputOptions {
                on_bad_row,
                io: file.io,
                page_path: false,
                memory: if file.in_scratch { 0 } else { 1 << 30 },
                ..options(&[&path], directory.path())
            };
            let by_pages = InputOptions { page_path: true, ..through_arrow.clone() };
            let ((arrow, _), (pages, details)) = (outcome(&through_arrow), outcome(&by_pages));
            prop_assert_eq!(&arrow, &pages);
            prop_assert_eq!(arrow.is_ok(), file.fault.0 == Fault::None || on_bad_row == OnBadRow::Skip, "{:?}", arrow);
            // Version 2 of the writer has an encoding for fixed-size values that is left to arrow-rs.
            let delta = file.version == WriterVersion::PARQUET_2_0
                && file.kind > 1
                && details.iter().any(|detail| detail.contains("DELTA_BYTE_ARRAY"));
            if file.fault.0 == Fault::None && !delta {
                let groups = file.rows.div_ceil(file.group_rows);
                prop_assert!(details.contains(&format!("{groups} of {groups} row groups read by pages")), "{details:?}");
            }
        }
    }

    #[test]
    fn damaged_files_are_read_alike_and_never_panic(file in files(), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        prop_assume!(file.makes_sense());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.parquet");
        file.write(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        std::fs::write(&path, bytes).unwrap();
        let through_arrow = InputOptions { page_path: false, io: file.io, ..options(&[&path], directory.path()) };
        let by_pages = InputOptions { page_path: true, ..through_arrow.clone() };
        prop_assert_eq!(outcome(&through_arrow).0, outcome(&by_pages).0);
    }
}
