//! Every file in `shaders/`, without a driver: it compiles, says what it does, and agrees with the host.

use crate::compute::gpu::kernel::{COPIES, Kernel, SLICE, Shape, Subgroups};
use crate::compute::gpu::limit::Probe;
use crate::compute::gpu::params::Params;
use crate::compute::outcome::BINS;
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::Path;
use wgpu::naga;

/// Bytes of workgroup memory that every adapter of interest has.
const WORKGROUP_BYTES: u32 = 32 << 10;

/// The same on the cards that have matrix units of 16 x 16.
const LARGER_BYTES: u32 = 48 << 10;

/// Parses and validates.
fn parse(source: &str) -> (naga::Module, naga::valid::ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let capabilities = naga::valid::Capabilities::default()
        | naga::valid::Capabilities::SHADER_FLOAT16
        | naga::valid::Capabilities::SUBGROUP
        | naga::valid::Capabilities::SUBGROUP_BARRIER
        | naga::valid::Capabilities::COOPERATIVE_MATRIX;
    let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities);
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    validator.subgroup_operations(naga::valid::SubgroupOperationSet::all());
    let info = validator.validate(&module).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    (module, info)
}

/// Subgroups of `least` to `most` threads.
fn subgroups(least: usize, most: usize) -> Subgroups {
    Subgroups { least, most }
}

/// Every kernel that some adapter could run, with the subgroups that it could have: all of one size, or of two.
fn kernels() -> Vec<(Kernel, Subgroups)> {
    let sizes = [(16, 32, 32), (16, 32, 64), (16, 64, 64), (8, 8, 8), (8, 32, 32), (8, 8, 32)];
    let matrix = sizes.into_iter().flat_map(|(side, least, most)| {
        Shape::candidates(side).into_iter().map(move |shape| (Kernel::Matrix(shape), subgroups(least, most)))
    });
    let plain = [Kernel::F32, Kernel::F16].map(|kernel| (kernel, subgroups(32, 32)));
    let all: Vec<_> = plain.into_iter().chain(matrix).filter(|(kernel, of)| kernel.fits(*of, 48 << 10, 1024)).collect();
    assert!(all.len() >= 16, "{}", all.len());
    all
}

/// Every file of `shaders/` by name.
fn shaders() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut all: Vec<_> = (std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
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
fn every_shader_says_what_it_does() {
    for (name, source) in shaders() {
        assert!(header_lacks(&source).is_empty(), "{name} lacks {:?}", header_lacks(&source));
    }
}

#[test]
fn every_kernel_compiles_in_the_memory_that_it_claims() {
    for (kernel, of) in kernels() {
        let name = kernel.describe();
        let (module, _) = parse(&kernel.source(of));
        let entries: Vec<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(entries, ["main"], "{name}: one stage a file");
        let bytes = workgroup_bytes(&module);
        let claimed = kernel.workgroup_bytes() as u32;
        assert!(bytes <= claimed && claimed < bytes + 64, "{name}: {bytes} bytes of workgroup memory, not {claimed}");
        assert!(bytes <= LARGER_BYTES, "{name}: {bytes}");
        let threads = module.entry_points[0].workgroup_size.iter().product::<u32>() as usize;
        assert_eq!(threads, kernel.threads(of), "{name}");
    }
    let portable = |side: usize| {
        Shape::candidates(side)
            .into_iter()
            .map(Kernel::Matrix)
            .any(|kernel| kernel.fits(subgroups(32, 32), WORKGROUP_BYTES as usize, 1024))
    };
    assert!(portable(8) && portable(16), "some shape for adapters with little workgroup memory");
    assert!(
        Kernel::F32.fits(subgroups(32, 32), WORKGROUP_BYTES as usize, 256)
            && Kernel::F16.fits(subgroups(64, 64), WORKGROUP_BYTES as usize, 256)
    );
}

/// To what Vulkan reads. (DirectX 12 has no cooperative matrices; Metal's translator is not built here.)
#[test]
fn every_kernel_is_translated() {
    for (kernel, of) in kernels() {
        let name = kernel.describe();
        let (module, info) = parse(&kernel.source(of));
        let vulkan = naga::back::spv::Options::default();
        assert!(
            naga::back::spv::write_vec(&module, &info, &vulkan, None).is_ok_and(|words| words.len() > 500),
            "{name}"
        );
    }
}

#[test]
fn the_probes_of_a_card_compile_and_are_translated() {
    let matrix = [(16, 32), (16, 64), (8, 8), (8, 32)].map(|(side, subgroup)| (Probe::Matrix(side), subgroup));
    for (probe, subgroup) in [(Probe::Fma, 32)].into_iter().chain(matrix) {
        let (module, info) = parse(&probe.source(subgroup));
        assert_eq!(module.entry_points.len(), 1, "{probe:?}: one stage a file");
        assert_eq!(workgroup_bytes(&module), 0, "{probe:?}: in registers alone");
        let vulkan = naga::back::spv::write_vec(&module, &info, &naga::back::spv::Options::default(), None);
        assert!(vulkan.is_ok_and(|words| words.len() > 500), "{probe:?}");
        let matrices = probe.source(subgroup).matches("coopMultiplyAdd(").count();
        assert_eq!(matrices, if probe == Probe::Fma { 0 } else { 32 }, "{probe:?}: 8 accumulators, 4 steps");
    }
}

#[test]
fn the_uniform_has_the_layout_of_its_mirror() {
    for (kernel, of) in
        [(Kernel::F32, subgroups(32, 32)), (Kernel::Matrix(Shape::candidates(16)[0]), subgroups(32, 32))]
    {
        let (module, _) = parse(&kernel.source(of));
        let (members, span) = (module.types.iter())
            .find_map(|(_, kind)| match &kind.inner {
                naga::TypeInner::Struct { members, span } if kind.name.as_deref() == Some("Job") => {
                    Some((members, *span))
                }
                _ => None,
            })
            .unwrap();
        let found: Vec<(&str, usize)> =
            members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
        macro_rules! mirror {
            ($($field:ident)*) => { [$((stringify!($field), offset_of!(Params, $field))),*] };
        }
        let mirror = mirror!(row_start row_count column_start column_count row_offset column_offset first_row first_column
            depth capacity mode width row_keep column_keep zero pad);
        assert_eq!(found, mirror);
        assert_eq!(span as usize, size_of::<Params>());
        for (member, (name, _)) in members.iter().zip(mirror) {
            let float = module.types[member.ty].inner.scalar().unwrap() == naga::Scalar::F32;
            assert_eq!(float, name == "width", "{name}");
        }
    }
}

#[test]
fn host_and_shaders_share_their_numbers() {
    for (kernel, of) in kernels() {
        let (module, _) = parse(&kernel.source(of));
        let value = |constant: &naga::Constant| match module.global_expressions[constant.init] {
            naga::Expression::Literal(naga::Literal::U32(value)) => Some(value as usize),
            _ => None,
        };
        let numbers: BTreeMap<&str, usize> = (module.constants.iter())
            .filter_map(|(_, constant)| Some((constant.name.as_deref()?, value(constant)?)))
            .collect();
        let (rows, columns) = kernel.tile();
        let threads = kernel.threads(of);
        for (name, value) in
            [("TILE_ROWS", rows), ("TILE_COLUMNS", columns), ("BINS", BINS), ("COPIES", COPIES), ("THREADS", threads)]
        {
            assert_eq!(numbers.get(name), Some(&value), "{}: {name}", kernel.describe());
        }
        assert!(rows * columns <= 1 << 15, "counts of a tile are 16 bits wide");
        assert!(kernel.format().padded(1).is_multiple_of(numbers["DEPTH"]), "rows are whole slices");
        if !matches!(kernel, Kernel::Matrix(_)) {
            assert_eq!(numbers.get("SLICE"), Some(&SLICE));
        }
    }
}

#[test]
fn these_checks_can_fail() {
    let wide = "var<workgroup> a: array<vec4<f32>, 2048>; @compute @workgroup_size(1) fn main() { a[0].x = 1.0; }";
    assert!(workgroup_bytes(&parse(wide).0) >= WORKGROUP_BYTES);
    assert_eq!(header_lacks("// Inputs: x\n// Outputs: y\n// CPU mirror: src/none.rs\nconst A = 1u;").len(), 2);
    assert!(std::panic::catch_unwind(|| parse("fn main(")).is_err());
}
