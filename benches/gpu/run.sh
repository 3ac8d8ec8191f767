#!/usr/bin/env bash
# Measures a graphics card in four steps, each well under nine minutes, correctness first. See README.md beside this.
#   run.sh prepare DIR    here: builds for this processor, strips, puts what travels into DIR
#   run.sh STEP DIR OUT   there: step 1, 2, 3 or 4; OUT gets gpu.jsonl (what DIR has of it stands in front) and a log
# To try it without a card: SCALE=0.001 and HIVESCOPE_DEVICE=software in the environment.
# A step that was cut off is started again with the gpu.jsonl so far in DIR: what stands in it is skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${1:-}" = prepare ]; then
  mkdir -p "$2"
  cd "$here"
  commit=$(git rev-parse --short HEAD)
  export HIVESCOPE_COMMIT=$commit
  cargo build --release --bin hivescope
  gpu=$(cargo build --release --bench gpu --message-format json | grep -o '"executable":"[^"]*/gpu-[^"]*"' | tail -1 | cut -d'"' -f4)
  strip -o "$2/gpu" "$gpu"
  strip -o "$2/hivescope" target/release/hivescope
  echo "$commit" >"$2/commit"
  ls -l "$2"
  exit
fi

step=$1 dir=$(cd "$2" && pwd) out=$3
mkdir -p "$out"
exec > >(tee -a "$out/step$step.log") 2>&1
for file in gpu.jsonl gpu.kernels.json; do
  if [ -f "$dir/$file" ] && [ ! -f "$out/$file" ]; then cp "$dir/$file" "$out/"; fi
done
commit=$(cat "$dir/commit")
lines="$out/gpu.jsonl"
options=(--scale "${SCALE:-1}" ${HIVESCOPE_DEVICE:+--device "$HIVESCOPE_DEVICE"})
# A measurement that fails or takes too long does not stop the others.
gpu() { local limit=$1; shift; date +%T; timeout "$limit" "$dir/gpu" "${options[@]}" "$@" --out "$lines" || echo "FAILED ($?): gpu $*"; }
torch() { local limit=$1; shift; date +%T; timeout "$limit" python3 "$here/benches/gpu/torch_peer.py" --scale "${SCALE:-1}" --out "$lines" --commit "$commit" "$@" || echo "FAILED ($?): torch_peer.py $*"; }

nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.limit --format=csv || true
case $step in
  1) # Is it right? What can the card do? (about 6 minutes)
    gpu 240 check
    gpu 90 limits
    gpu 60 epilogue
    gpu 60 epilogue --kernel f32
    gpu 60 s1 --repetitions 3
    ;;
  2) # The sizes. (about 4 minutes)
    gpu 60 s1 --repetitions 3
    gpu 90 s2 --repetitions 2
    gpu 240 s3
    gpu 60 cold
    gpu 60 s1 --repetitions 3 --kernel f32
    ;;
  3) # The other kernels and torch on a slab, torch whole. (about 7 minutes)
    gpu 100 slab --kernel f32
    gpu 100 slab --kernel f16
    torch 60 limits
    torch 220 --budget 100 slab whole
    ;;
  4) # The whole command at S1: cold, then warm. (about 4 minutes)
    work=$(mktemp -d)
    "$dir/hivescope" devices
    time "$dir/hivescope" synth --queries "${QUERIES:-100}" --models 25 --samples 50 --dim 1536 --out "$work/s1.parquet"
    sync
    echo 1 >/proc/sys/vm/drop_caches || dd if="$work/s1.parquet" iflag=nocache count=0 status=none || echo "the page cache was not dropped"
    for run in cold warm; do
      echo "S1, $run"
      time timeout 180 "$dir/hivescope" run "$work/s1.parquet" --out "$work/$run" --backend gpu
      cp "$work/$run/manifest.json" "$out/s1-$run-manifest.json"
    done
    rm -r "$work"
    ;;
esac
"$dir/gpu" summary --out "$lines"
