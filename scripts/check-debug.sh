#!/usr/bin/env bash
# Builds everything once more, without optimisation and precompiled headers, so that an
# #include that is missing is seen, and with AddressSanitizer and UBSan; and runs the
# GoogleTest programs, with fewer random cases than the optimised build. Ends with a
# line `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ $# -gt 0 ]]; then
  echo "check-debug: unknown argument $1; it takes none" >&2
  exit 1
fi
build=build-debug
results=$build/results.json

# LLVM's own libraries are not instrumented: these three checks would see only one
# side of what headers and libraries share.
export ASAN_OPTIONS=detect_container_overflow=0:alloc_dealloc_mismatch=0:allow_user_poisoning=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export SPARSE_ATTN_FUZZ_LIMIT=${SPARSE_ATTN_FUZZ_LIMIT:-100}

rm -f "$results"
options=()
if [[ -x .venv/bin/python ]]; then
  options+=("-DPython3_EXECUTABLE=$PWD/.venv/bin/python")
fi
cmake --preset debug "${options[@]}"
ninja -C "$build"
status=0
lit-22 -sv -j"$(nproc)" -o "$results" "$build/test/Unit" || status=1
scripts/count-results.py "$results" || status=1
exit "$status"
