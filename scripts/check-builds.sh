#!/usr/bin/env bash
# Builds twice more, and runs the GoogleTest programs: without optimisation (debug),
# and with AddressSanitizer and UBSan (asan). Arguments name those that are wanted.
# The debug build has all sources and no precompiled headers, so that an #include
# that is missing is seen; the other has what the programs need. Ends with one line for each, `debug: N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# LLVM's own libraries are not instrumented: these three checks would see only one
# side of what headers and libraries share.
export ASAN_OPTIONS=detect_container_overflow=0:alloc_dealloc_mismatch=0:allow_user_poisoning=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

check() {
  local build="build-$1" target=sparse-attn-unit-tests
  [[ "$1" != debug ]] || target=all
  rm -f "$build/results.json"
  local options=()
  if [[ -x .venv/bin/python ]]; then
    options+=("-DPython3_EXECUTABLE=$PWD/.venv/bin/python")
  fi
  # One after the other, since `set -e` is off where the status is asked for.
  cmake --preset "$1" "${options[@]}" &&
    ninja -C "$build" "$target" &&
    lit-22 -sv -j"$(nproc)" -o "$build/results.json" "$build/test/Unit"
}

presets=("$@")
[[ $# -gt 0 ]] || presets=(debug asan)
for preset in "${presets[@]}"; do
  if [[ "$preset" != debug && "$preset" != asan ]]; then
    echo "check-builds: unknown build $preset; there are debug and asan" >&2
    exit 1
  fi
done

status=0
summary=()
for preset in "${presets[@]}"; do
  check "$preset" || status=1
  counted=$(scripts/count-results.py "build-$preset/results.json") || status=1
  summary+=("$preset: ${counted##*$'\n'}")
done
printf '%s\n' "${summary[@]}"
exit "$status"
