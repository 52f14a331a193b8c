#!/usr/bin/env bash
# fuzz.sh SECONDS BIN: runs each fuzz target of delegate/fuzz, built into the folder BIN, for an eighth of the time. What
# covers new code is kept in out/fuzz/<name>, for the next campaign; an input that ends the process in
# out/fuzz/<name>-crash-*. libFuzzer prints its seed, and runs a kept input again when it is given as the only argument.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19 UBSAN_OPTIONS=print_stacktrace=1
readonly SECONDS_EACH=$(($1 / 8)) BIN="$2"
for name in blob cache costs graph options pack plan sparse; do
  seeds=("delegate/fuzz/seeds/$name")
  [[ "$name" != blob ]] || seeds+=(tests/golden)
  mkdir -p "out/fuzz/$name"
  echo "fuzz: $name, $SECONDS_EACH s"
  "$BIN/${name}_fuzz" -max_total_time="$SECONDS_EACH" -max_len=4096 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="out/fuzz/$name-" "out/fuzz/$name" "${seeds[@]}"
done
