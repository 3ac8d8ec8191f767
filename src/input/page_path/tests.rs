//! Pages that no writer at hand writes: rows split over pages, and levels that lie.

use super::*;
use crate::base::Silent;
use crate::corpus::Embeddings;
use parquet::column::page::PageMetadata;
use parquet::errors::Result as ParquetResult;
use std::collections::VecDeque;

const DIM: usize = 12;

/// Pages from memory.
struct Stored(VecDeque<Page>);

impl Iterator for Stored {
    type Item = ParquetResult<Page>;
    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Stored {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        Ok(self.0.pop_front())
    }
    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        Ok(self.0.front().map(|page| PageMetadata {
            num_rows: None,
            num_levels: Some(page.num_values() as usize),
            is_dict: page.is_dictionary_page(),
        }))
    }
    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.0.pop_front();
        Ok(())
    }
}

/// `values` as packed groups of eight levels of one bit.
fn packed(values: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let groups = values.len().div_ceil(8);
    let mut bytes = vec![(groups << 1 | 1) as u8];
    bytes.resize(1 + groups, 0);
    for (i, value) in values.enumerate() {
        bytes[1 + i / 8] |= u8::from(value) << (i % 8);
    }
    bytes
}

/// A version 1 page of the values `range`, value v being v + 1, in rows of DIM.
fn page(range: std::ops::Range<usize>) -> Page {
    let mut buf = Vec::new();
    for levels in [packed(range.clone().map(|v| v % DIM != 0)), packed(range.clone().map(|_| true))] {
        buf.extend((levels.len() as u32).to_le_bytes());
        buf.extend(levels);
    }
    buf.extend(range.clone().flat_map(|v| (v as f32 + 1.0).to_le_bytes()));
    Page::DataPage {
        buf: buf.into(),
        num_values: range.len() as u32,
        encoding: Encoding::PLAIN,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    }
}

/// Reads `pages` as rows of DIM; the values, or why not.
fn read_pages(pages: &[Page], rows: usize, parts: usize) -> Result<Vec<f32>, Odd> {
    let mut embeddings = Embeddings::zeroed(rows, DIM, None).expect("room");
    let slots: Vec<u32> = (0..rows as u32).collect();
    let placement = Placement::new(DIM, &slots, embeddings.filling());
    let group = Group {
        open: &|| Ok(Box::new(Stored(pages.iter().cloned().collect()))),
        values: rows * DIM,
        rows,
        leaf: Leaf { index: 0, kind: Kind::F32, max_definition: 1, max_repetition: 1 },
        placement: &placement,
        first_row: 0,
        observer: &Silent,
    };
    group.read(parts)?;
    assert!(placement.complete(), "every row was written");
    drop(placement);
    Ok(embeddings.values().to_vec())
}

#[test]
fn rows_split_over_pages_are_put_together_in_any_number_of_parts() {
    let rows = 20;
    let wanted: Vec<f32> = (1..=rows * DIM).map(|v| v as f32).collect();
    for cuts in [vec![], vec![12], vec![5], vec![1, 2, 3, 40, 72, 73, 96, 239], (1..240).collect()] {
        let mut pages = Vec::new();
        let mut from = 0;
        for to in cuts.iter().copied().chain([rows * DIM]) {
            pages.push(page(from..to));
            from = to;
        }
        for parts in [1, 2, 7, 100] {
            assert_eq!(read_pages(&pages, rows, parts).as_ref(), Ok(&wanted), "{cuts:?} in {parts} parts");
        }
    }
}

/// The page with its buffer or count changed.
fn altered(page: &Page, change: impl FnOnce(&mut Vec<u8>, &mut u32)) -> Page {
    let mut page = page.clone();
    if let Page::DataPage { buf, num_values, .. } = &mut page {
        let mut bytes = buf.to_vec();
        change(&mut bytes, num_values);
        *buf = bytes.into();
    }
    page
}

#[test]
fn levels_and_pages_that_lie_are_left_to_arrow() {
    let whole = page(0..48);
    assert!(read_pages(std::slice::from_ref(&whole), 4, 1).is_ok());
    let cases = [
        ("a row of another length", altered(&whole, |bytes, _| bytes[6] ^= 1)),
        // parquet-testing ARROW-GH-45185: repetition levels begin with 1.
        ("begins within a row", altered(&whole, |bytes, _| bytes[5] ^= 1)),
        ("a null", altered(&whole, |bytes, _| bytes[4 + 7 + 4 + 3] ^= 4)),
        // parquet-testing ARROW-RS-GH-6229-LEVELS and ARROW-GH-41321: fewer levels than values.
        ("too few levels", altered(&whole, |bytes, _| bytes[4] = 2 << 1 | 1)),
        ("levels longer than the page", altered(&whole, |bytes, _| bytes[1] = 0xff)),
        ("too few values", altered(&whole, |bytes, _| bytes.truncate(bytes.len() - 1))),
        (
            "a NaN",
            altered(&whole, |bytes, _| {
                let end = bytes.len();
                bytes[end - 4..].fill(0xff);
            }),
        ),
        ("a page shorter than the footer says", page(0..36)),
        ("a page longer than the footer says", page(0..60)),
        ("an empty page", altered(&whole, |bytes, _| bytes.clear())),
    ];
    for (what, page) in cases {
        assert!(read_pages(&[page], 4, 1).is_err(), "{what}");
    }
    // Pages of places without a dictionary, one of them with places of 0 bits (parquet-testing ARROW-GH-43605).
    for width in [0, 3] {
        let mut indexed = altered(&whole, |bytes, _| {
            bytes.truncate(2 * (4 + 7));
            bytes.extend([width, 48 << 1, 0]);
        });
        if let Page::DataPage { encoding, .. } = &mut indexed {
            *encoding = Encoding::RLE_DICTIONARY;
        }
        assert!(read_pages(&[indexed], 4, 1).is_err(), "width {width}");
    }
}
