//! Every file in `shaders/`, without a driver: it compiles, says what it does, and agrees with the host.

use crate::compute::gpu::kernel::{COPIES, DEPTH, SLICE, TILE_COLUMNS, TILE_ROWS};
use crate::compute::gpu::params::Params;
use crate::compute::outcome::BINS;
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::Path;
use wgpu::naga;

/// Bytes of workgroup memory that every adapter of interest has.
const WORKGROUP_BYTES: u32 = 32 << 10;

fn parse(source: &str) -> naga::Module {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let mut validator = naga::valid::Validator::new(Default::default(), naga::valid::Capabilities::default());
    validator.validate(&module).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    module
}

/// Every shader by file name.
fn shaders() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut all: Vec<_> = (std::fs::read_dir(folder).unwrap())
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

/// Bytes of workgroup memory of `module`.
fn workgroup_bytes(module: &naga::Module) -> u32 {
    let mut layouts = naga::proc::Layouter::default();
    layouts.update(module.to_ctx()).unwrap();
    let of_workgroup = |variable: &&naga::GlobalVariable| variable.space == naga::AddressSpace::WorkGroup;
    let variables = module.global_variables.iter().map(|(_, variable)| variable);
    variables.filter(of_workgroup).map(|variable| layouts[variable.ty].size).sum()
}

/// What the header of a shader lacks.
fn header_lacks(source: &str) -> Vec<String> {
    let header: Vec<&str> = source.lines().take_while(|line| line.starts_with("//")).collect();
    let mut lacks: Vec<String> = ["// Inputs: ", "// Outputs: ", "// Invariants: "]
        .into_iter()
        .filter(|part| !header.iter().any(|line| line.starts_with(part)))
        .map(String::from)
        .collect();
    let mirror = header.iter().find_map(|line| line.strip_prefix("// CPU mirror: "));
    if !mirror.is_some_and(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(path).is_file()) {
        lacks.push(format!("CPU mirror (a file), not {mirror:?}"));
    }
    lacks
}

#[test]
fn every_shader_compiles_and_says_what_it_does() {
    for (name, source) in shaders() {
        let module = parse(&source);
        let entries: Vec<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(entries, ["main"], "{name}: one stage a file");
        let bytes = workgroup_bytes(&module);
        assert!(bytes < WORKGROUP_BYTES, "{name}: {bytes} bytes of workgroup memory");
        assert!(header_lacks(&source).is_empty(), "{name} lacks {:?}", header_lacks(&source));
    }
}

#[test]
fn the_uniform_has_the_layout_of_its_mirror() {
    let (_, source) = shaders().into_iter().find(|(name, _)| name == "similarity_f32.wgsl").unwrap();
    let module = parse(&source);
    let (members, span) = (module.types.iter())
        .find_map(|(_, kind)| match &kind.inner {
            naga::TypeInner::Struct { members, span } if kind.name.as_deref() == Some("Job") => Some((members, *span)),
            _ => None,
        })
        .unwrap();
    let found: Vec<(&str, usize)> = members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
    macro_rules! mirror {
        ($($field:ident)*) => { [$((stringify!($field), offset_of!(Params, $field))),*] };
    }
    let mirror = mirror!(row_start row_count column_start column_count row_offset column_offset first_row first_column
        depth capacity mode width zero pad0 pad1 pad2);
    assert_eq!(found, mirror);
    assert_eq!(span as usize, size_of::<Params>());
    for (member, (name, _)) in members.iter().zip(mirror) {
        let float = module.types[member.ty].inner.scalar().unwrap() == naga::Scalar::F32;
        assert_eq!(float, name == "width", "{name}");
    }
}

#[test]
fn host_and_shader_share_their_numbers() {
    let (_, source) = shaders().into_iter().find(|(name, _)| name == "similarity_f32.wgsl").unwrap();
    let module = parse(&source);
    let numbers: BTreeMap<&str, usize> = (module.constants.iter())
        .filter_map(|(_, constant)| match module.global_expressions[constant.init] {
            naga::Expression::Literal(naga::Literal::U32(value)) => Some((constant.name.as_deref()?, value as usize)),
            _ => None,
        })
        .collect();
    for (name, value) in [
        ("TILE_ROWS", TILE_ROWS),
        ("TILE_COLUMNS", TILE_COLUMNS),
        ("DEPTH", DEPTH),
        ("SLICE", SLICE),
        ("BINS", BINS),
        ("COPIES", COPIES),
    ] {
        assert_eq!(numbers.get(name), Some(&value), "{name}");
    }
    let threads = module.entry_points[0].workgroup_size.iter().product::<u32>();
    assert_eq!(numbers.get("THREADS"), Some(&(threads as usize)));
}

#[test]
fn these_checks_can_fail() {
    let wide = "var<workgroup> a: array<vec4<f32>, 2048>; @compute @workgroup_size(1) fn main() { a[0].x = 1.0; }";
    assert!(workgroup_bytes(&parse(wide)) >= WORKGROUP_BYTES);
    assert_eq!(header_lacks("// Inputs: x\n// Outputs: y\n// CPU mirror: src/none.rs\nconst A = 1u;").len(), 2);
    assert!(std::panic::catch_unwind(|| parse("fn main(")).is_err());
}
