#!/usr/bin/env bash
# Builds bits_main with g++ and clang at -O0 and -O3 and demands one result, also with the C library's CPU-specific
# variants switched off. Usage: compare_bits.sh [programs] [seed]. Compilers: GXX and CLANGXX, default g++ and clang++.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
programs="${1:-10000}"
seed="${2:-1}"
read -r -a libraries <<< "$(pkg-config --libs absl_status absl_statusor absl_time) -lsleef -lre2"
sources=("$root"/src/{base,schema,column,transform}/*.cc
         "$root"/tests/transform/{bits_main,random_program,naive_evaluator}.cc)

build() {  # name, compiler, flags...
  local name="$1" compiler="$2"
  shift 2
  mkdir -p "$work/$name"
  printf '%s\n' "${sources[@]}" |
    xargs -P "$(nproc)" -I{} sh -c 'file="$1"; shift; "$@" -c "$file" -o "'"$work/$name"'/$(echo "$file" | tr / _).o"' _ {} \
      "$compiler" -std=c++20 -I"$root/include" -I"$root/src" -I"$root/tests" -ffp-contract=off -fno-math-errno \
      -fno-trapping-math "$@"
  "$compiler" "$work/$name"/*.o -o "$work/$name/bits" "${libraries[@]}"
}

expected=""
check() {  # name, command...
  local name="$1" line
  shift
  line="$("$@" "$programs" "$seed")"
  printf '%-24s %s\n' "$name" "$line"
  [[ -n "$expected" ]] || expected="$line"
  [[ "$line" == "$expected" ]] || { echo "the bits differ" >&2; exit 1; }
}

for compiler in "${GXX:-g++}" "${CLANGXX:-clang++}"; do
  command -v "$compiler" > /dev/null || { echo "$compiler: not installed, skipped"; continue; }
  for level in -O0 -O3; do
    name="$(basename "$compiler")$level"
    build "$name" "$compiler" "$level"
    check "$name" "$work/$name/bits"
    check "$name, plain libc" env \
      GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F,-AVX2_Usable,-AVX512F_Usable,-FMA_Usable \
      "$work/$name/bits"
  done
done
