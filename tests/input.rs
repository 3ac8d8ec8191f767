//! Reading: every embedding type, codec and encoding, and every bad input with its exit code.

use crate::fixtures::{DIM, ROWS, batch, list, options, plain, read_back, values, write};
use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Array, Int64Array,
    LargeListArray, ListArray, StringArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use hivescope::base::{Error, Silent};
use hivescope::input::{InputOptions, Io, OnBadRow, read, verify_unchanged};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use std::sync::Arc;

#[test]
fn every_type_codec_and_encoding_reads_the_same_values() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let v = values();
    let f32s: ArrayRef = Arc::new(Float32Array::from(v.clone()));
    let element = |kind| Arc::new(Field::new("element", kind, true));
    let bytes: Vec<Vec<u8>> = v.chunks(DIM).map(|row| row.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("list", list(f32s.clone())),
        ("f64", list(Arc::new(Float64Array::from_iter_values(v.iter().map(|&x| f64::from(x)))))),
        ("f16", list(Arc::new(Float16Array::from_iter_values(v.iter().map(|&x| half::f16::from_f32(x)))))),
        ("fixed", Arc::new(FixedSizeListArray::new(element(DataType::Float32), DIM as i32, f32s.clone(), None))),
        (
            "large",
            Arc::new(LargeListArray::new(
                element(DataType::Float32),
                OffsetBuffer::from_lengths(vec![DIM; ROWS]),
                f32s.clone(),
                None,
            )),
        ),
        ("binary", Arc::new(FixedSizeBinaryArray::try_from_iter(bytes.into_iter()).unwrap())),
    ];
    for (name, array) in arrays {
        write(&path, &batch(array), WriterProperties::builder().set_max_row_group_row_count(Some(13)).build());
        assert_eq!(read_back(&options(&[&path], directory.path())), v, "{name}");
    }
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ];
    for codec in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for encoding in [None, Some(Encoding::PLAIN), Some(Encoding::BYTE_STREAM_SPLIT)] {
                let mut builder = WriterProperties::builder().set_compression(codec).set_writer_version(version);
                if let Some(encoding) = encoding {
                    builder = builder
                        .set_dictionary_enabled(false)
                        .set_column_encoding("embedding.list.element".into(), encoding);
                }
                write(&path, &batch(list(f32s.clone())), builder.build());
                for io in [Io::Mmap, Io::Pread] {
                    let options = InputOptions {
                        io,
                        memory: if io == Io::Pread { 0 } else { 1 << 30 },
                        ..options(&[&path], directory.path())
                    };
                    assert_eq!(read_back(&options), v, "{codec:?} {version:?} {encoding:?} {io:?}");
                }
            }
        }
    }
}

/// A list column with one row replaced by `bad`.
fn with_bad_row(bad: &[f32]) -> ArrayRef {
    let rows: Vec<Vec<f32>> = (0..20).map(|i| if i == 7 { bad.to_vec() } else { vec![1.0 + i as f32; 4] }).collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let items = Arc::new(Float32Array::from(rows.concat()));
    Arc::new(ListArray::new(
        Arc::new(Field::new("element", DataType::Float32, true)),
        OffsetBuffer::from_lengths(lengths),
        items,
        None,
    ))
}

#[test]
fn bad_rows_are_named_or_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let null_row = {
        let list = with_bad_row(&[1.0; 4]);
        let list = list.as_any().downcast_ref::<ListArray>().unwrap().clone();
        let (field, offsets, items, _) = list.into_parts();
        Arc::new(ListArray::new(field, offsets, items, Some(NullBuffer::from_iter((0..20).map(|i| i != 7)))))
            as ArrayRef
    };
    let null_element = {
        let items: Float32Array = (0..80).map(|i| (i != 30).then_some(i as f32 + 1.0)).collect();
        let field = Arc::new(Field::new("element", DataType::Float32, true));
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(vec![4; 20]), Arc::new(items), None)) as ArrayRef
    };
    let overflow = {
        let items = Float64Array::from_iter_values((0..80).map(|i| if i == 28 { 1e300 } else { 1.0 }));
        let field = Arc::new(Field::new("element", DataType::Float64, true));
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(vec![4; 20]), Arc::new(items), None)) as ArrayRef
    };
    let cases = [
        ("ragged", with_bad_row(&[1.0; 3]), "dimensions"),
        ("empty", with_bad_row(&[]), "empty"),
        ("nan", with_bad_row(&[1.0, f32::NAN, 0.0, 0.0]), "NaN"),
        ("infinite", with_bad_row(&[1.0, f32::INFINITY, 0.0, 0.0]), "inf"),
        ("zero", with_bad_row(&[0.0; 4]), "zero"),
        ("null row", null_row, "null"),
        ("null element", null_element, "element 2 is null"),
        ("overflow", overflow, "too large"),
    ];
    for (name, array, words) in cases {
        write(&path, &batch(array), plain());
        let error = read(&options(&[&path], directory.path()), &Silent).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.exit_code(), 3, "{name}: {text}");
        for word in [words, "a.parquet", "column `embedding`", "row group 0", "row 7", "--on-bad-row skip"] {
            assert!(text.contains(word), "{name}: `{word}` is missing in: {text}");
        }
        let skipping = InputOptions { on_bad_row: OnBadRow::Skip, ..options(&[&path], directory.path()) };
        let corpus = read(&skipping, &Silent).unwrap();
        assert_eq!((corpus.len(), corpus.skipped), (19, 1), "{name}");
        assert_eq!(corpus.rows.file_row[7], 8, "{name}: file_row is the original row");
    }
}

fn error_of(bytes: &[u8]) -> Error {
    error_of_any(bytes).expect("an error")
}

fn error_of_any(bytes: &[u8]) -> Option<Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    std::fs::write(&path, bytes).unwrap();
    read(&options(&[&path], directory.path()), &Silent).err()
}

#[test]
fn files_that_are_not_whole_parquet_say_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, &batch(list(Arc::new(Float32Array::from(values())))), plain());
    let good = std::fs::read(&path).unwrap();
    let lfs: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    let cases: [(&[u8], &str); 6] = [
        (&good[..good.len() / 2], "cut short"),
        (b"query,model\na,b\n", "text"),
        (b"ARROW1\0\0 and so on", "Arrow IPC"),
        (lfs, "git-LFS"),
        (b"", "empty"),
        (b"PARE and so on", "encrypted"),
    ];
    for (bytes, words) in cases {
        let error = error_of(bytes);
        assert_eq!(error.exit_code(), 3, "{words}");
        assert!(error.to_string().contains(words), "`{words}` is missing in: {error}");
    }
}

#[test]
fn a_damaged_file_is_an_error_never_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, &batch(list(Arc::new(Float32Array::from(values())))), WriterProperties::builder().build());
    let good = std::fs::read(&path).unwrap();
    let footer = good.len() - 8 - u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in (footer..good.len() - 8).step_by(3) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        std::fs::write(&path, &bytes).unwrap();
        refused += usize::from(read(&options(&[&path], directory.path()), &Silent).is_err());
    }
    assert!(refused > 0, "some damage is noticed");
}

#[test]
fn shards_must_agree_and_keys_must_be_unique() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a.parquet"), directory.path().join("b.parquet"));
    write(&a, &batch(list(Arc::new(Float32Array::from(values())))), plain());
    write(&b, &batch(with_bad_row(&[1.0; 4])), plain());
    let error = read(&options(&[&a, &b], directory.path()), &Silent).unwrap_err().to_string();
    assert!(error.contains("b.parquet") && error.contains("has 4 dimensions, `a.parquet` has 17"), "{error}");

    let query = Arc::new(Int64Array::from(vec![1; 20]));
    let whole = batch(with_bad_row(&[1.0; 4]));
    let schema = Schema::new(vec![
        Field::new("query", DataType::Int64, true),
        Field::new("model", DataType::Int64, true),
        Field::new("sample", DataType::Int64, true),
        Field::new("embedding", whole.column(2).data_type().clone(), true),
    ]);
    let sample: ArrayRef = Arc::new(Int64Array::from_iter_values((0..20).map(|i| if i == 12 { 4 } else { i })));
    let keyed =
        RecordBatch::try_new(Arc::new(schema), vec![query, whole.column(1).clone(), sample, whole.column(2).clone()])
            .unwrap();
    write(&b, &keyed, plain());
    let error = read(&options(&[&b], directory.path()), &Silent).unwrap_err().to_string();
    assert!(error.contains("row 12") && error.contains("row 4"), "{error}");
    write(&a, &whole, plain());
    let error = read(&options(&[&a, &b], directory.path()), &Silent).unwrap_err().to_string();
    assert!(error.contains("a.parquet") && error.contains("b.parquet") && error.contains("integer"), "{error}");
}

#[test]
fn the_first_rows_decide_the_dimension_by_majority() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let rows: Vec<Vec<f32>> = (0..20).map(|i| vec![1.0 + i as f32; if i == 0 { 3 } else { 4 }]).collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let field = Arc::new(Field::new("element", DataType::Float32, true));
    let items = Arc::new(Float32Array::from(rows.concat()));
    let array = Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), items, None));
    write(&path, &batch(array), plain());
    let skipping = InputOptions { on_bad_row: OnBadRow::Skip, ..options(&[&path], directory.path()) };
    let corpus = read(&skipping, &Silent).unwrap();
    assert_eq!((corpus.len(), corpus.dim(), corpus.skipped), (19, 4, 1));
}

/// A batch with the given columns beside query and model.
fn with_columns(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let keys = |prefix: &str, modulus: usize| {
        let n = columns[0].1.len();
        Arc::new((0..n).map(|i| Some(format!("{prefix}{}", i % modulus))).collect::<StringArray>()) as ArrayRef
    };
    let all = [("query", keys("q", 5)), ("model", keys("m", 2))].into_iter().chain(columns.iter().cloned());
    let fields: Vec<Field> =
        all.clone().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), all.map(|(_, array)| array).collect()).unwrap()
}

#[test]
fn a_column_that_is_missing_or_ambiguous_or_of_another_type_is_answered_with_the_candidates() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let floats = || list(Arc::new(Float32Array::from(values())));
    let numbers = || Arc::new(Int64Array::from_iter_values(0..ROWS as i64)) as ArrayRef;
    let fails = |columns: Vec<(&str, ArrayRef)>, embedding: Option<&str>, words: &[&str]| {
        write(&path, &with_columns(&columns), plain());
        let options = InputOptions { embedding: embedding.map(String::from), ..options(&[&path], directory.path()) };
        let error = read(&options, &Silent).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
        }
    };
    fails(
        vec![("cohere", floats()), ("openai", floats())],
        None,
        &["no embedding column", "cohere, openai", "--embedding"],
    );
    fails(vec![("Embedding", floats()), ("embedding", floats())], None, &["2 columns could be", "--embedding"]);
    fails(vec![("embedding", numbers())], None, &["no embedding column", "no column could be it"]);
    fails(vec![("emb", floats()), ("embedding", numbers())], Some("embedding"), &["Int64", "emb"]);
    fails(vec![("emb", floats()), ("emb", floats())], Some("emb"), &["several columns"]);
    // A later name is taken where the first is of another type.
    write(&path, &with_columns(&[("embedding", numbers()), ("emb", floats())]), plain());
    assert_eq!(read(&options(&[&path], directory.path()), &Silent).unwrap().dim(), DIM);
}

#[test]
fn keys_of_every_type_are_the_same_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let floats = list(Arc::new(Float32Array::from(values())));
    let names = || (0..ROWS).map(|i| Some(["seven", "-8", "ähm"][i % 3]));
    let strings: StringArray = names().collect();
    let cast = |kind: &DataType| arrow::compute::cast(&strings, kind).unwrap();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let columns = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary].map(|kind| cast(&kind));
    for column in columns {
        write(&path, &with_columns(&[("key", column.clone()), ("embedding", floats.clone())]), plain());
        let options = InputOptions { query: Some("key".into()), ..options(&[&path], directory.path()) };
        let corpus = read(&options, &Silent).unwrap();
        assert_eq!(corpus.rows.queries.names(), ["-8", "seven", "ähm"], "{}", column.data_type());
        assert_eq!(corpus.rows.query[..4], [1, 0, 2, 1], "{}", column.data_type());
    }
    let numbers = Int64Array::from_iter_values((0..ROWS as i64).map(|i| [7, 100, 9][i as usize % 3]));
    for kind in [DataType::Int8, DataType::UInt8, DataType::Int16, DataType::UInt32, DataType::Int64, DataType::UInt64]
    {
        let column = arrow::compute::cast(&numbers, &kind).unwrap();
        write(&path, &with_columns(&[("key", column), ("embedding", floats.clone())]), plain());
        let options = InputOptions { query: Some("key".into()), ..options(&[&path], directory.path()) };
        let corpus = read(&options, &Silent).unwrap();
        assert_eq!(corpus.rows.queries.names(), ["100", "7", "9"], "{kind}: in decimal, bytewise");
        assert_eq!(corpus.rows.query[..4], [1, 0, 2, 1], "{kind}");
    }
}

#[test]
fn texts_are_counted_in_characters_and_a_skipped_row_takes_its_own_along() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let texts: StringArray = (0..ROWS).map(|i| [Some("ähm  ähm"), None, Some(""), Some("𝄞")][i % 4]).collect();
    let mut floats = values();
    floats[..DIM].fill(0.0);
    let columns: [(&str, ArrayRef); 2] =
        [("text", Arc::new(texts)), ("embedding", list(Arc::new(Float32Array::from(floats))))];
    write(&path, &with_columns(&columns), plain());
    let options = InputOptions { on_bad_row: OnBadRow::Skip, ..options(&[&path], directory.path()) };
    let rows = read(&options, &Silent).unwrap().rows;
    let chars = rows.text_chars.unwrap();
    assert_eq!((chars.len(), &chars[..7]), (ROWS - 1, &[0, 0, 1, 8, 0, 0, 1][..]));
    assert!(rows.text_hash.unwrap().iter().zip(&chars).all(|(&hash, &chars)| (hash == 0) == (chars == 0)));
}

#[test]
fn no_rows_at_all_and_an_empty_shard() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (directory.path().join("a.parquet"), directory.path().join("b.parquet"));
    let whole = batch(list(Arc::new(Float32Array::from(values()))));
    write(&a, &whole.slice(0, 0), plain());
    write(&b, &whole, plain());
    let error = read(&options(&[&a], directory.path()), &Silent).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("0 rows"), "{error}");
    assert_eq!(read(&options(&[&a, &b], directory.path()), &Silent).unwrap().len(), ROWS);
}

#[test]
fn null_keys_and_keys_that_are_no_text_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let good = batch(list(Arc::new(Float32Array::from(values()))));
    let query: StringArray = (0..ROWS).map(|i| (i != 11).then(|| format!("q{}", i % 5))).collect();
    let columns = vec![Arc::new(query) as ArrayRef, good.column(1).clone(), good.column(2).clone()];
    write(&path, &RecordBatch::try_new(good.schema(), columns).unwrap(), plain());
    let error = read(&options(&[&path], directory.path()), &Silent).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("column `Query`, row group 0, row 11: the key is null (1 bad rows"), "{error}");
    let skipping = InputOptions { on_bad_row: OnBadRow::Skip, ..options(&[&path], directory.path()) };
    assert_eq!(read(&skipping, &Silent).unwrap().skipped, 1);
}

#[test]
fn an_encrypted_column_and_an_unknown_codec_are_named() {
    let error = error_of(include_bytes!("files/encrypted_column.parquet"));
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("encrypted"), "{error}");
    // Codec 0 (none) becomes 3 (LZO) where the footer's bytes hold it; the variable-length integer of 3 is 6.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, &batch(list(Arc::new(Float32Array::from(values())))), plain());
    let file = std::fs::read(&path).unwrap();
    let length = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
    let named = (file.len() - 8 - length..file.len() - 8).filter(|&at| file[at] == 0).any(|at| {
        let mut changed = file.clone();
        changed[at] = 6;
        error_of_any(&changed).is_some_and(|error| {
            error.exit_code() == 3 && error.to_string().contains("`embedding`, row group 0: is compressed with LZO")
        })
    });
    assert!(named, "no change of a byte made the codec LZO");
}

#[test]
fn a_file_that_changes_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, &batch(list(Arc::new(Float32Array::from(values())))), plain());
    let corpus = read(&options(&[&path], directory.path()), &Silent).unwrap();
    verify_unchanged(&corpus).unwrap();
    let mut longer = std::fs::read(&path).unwrap();
    longer.push(0);
    std::fs::write(&path, longer).unwrap();
    let error = verify_unchanged(&corpus).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("a.parquet: the file changed"), "{error}");
}

#[test]
fn times_of_any_type_are_read_as_keys() {
    use arrow::array::{Date32Array, TimestampMicrosecondArray};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let plain = batch(list(Arc::new(Float32Array::from(values()))));
    let micros = |zone: Option<&str>| {
        let times = (0..ROWS).map(|row| 1_709_251_200_000_000 + row as i64 * 500_000);
        TimestampMicrosecondArray::from_iter_values(times).with_timezone_opt(zone)
    };
    for (times, want) in [
        (Arc::new(micros(None)) as ArrayRef, "2024-03-01T00:00:00.500"),
        (Arc::new(micros(Some("UTC"))), "2024-03-01T00:00:00.500"),
        (Arc::new(micros(Some("+02:00"))), "2024-03-01T00:00:00.500"),
        (Arc::new(Date32Array::from_iter_values(0..ROWS as i32)), "1970-01-02"),
        (Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| row as f64 * 0.25))), "0.25"),
        (Arc::new(Int64Array::from_iter_values(0..ROWS as i64)), "1"),
    ] {
        let fields = plain.schema().fields().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>();
        let fields = [fields, vec![Field::new("time", times.data_type().clone(), true)]].concat();
        let columns = [plain.columns(), &[times]].concat();
        let dated = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        write(&path, &dated, WriterProperties::builder().build());
        let corpus = read(&options(&[&path], directory.path()), &Silent).unwrap();
        let time = &corpus.rows.categories[&hivescope::corpus::Role::Time];
        assert_eq!(time.dictionary.name(time.ids[1]), want);
    }
}
