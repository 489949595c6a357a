#!/usr/bin/env bash
# Installs what is needed, builds, and runs all tests: GoogleTest, lit, and the
# comparisons with PyTorch; with --quick those of the GoogleTest and FileCheck
# tests, and of whole compilations, that do not take minutes. Ends with a line
# `N passed, N failed`. A test that did not run counts as failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
"") suite=check-sparse-attn ;;
--quick) suite=check-sparse-attn-quick ;;
*)
  echo "test: unknown option $1; the only one is --quick" >&2
  exit 1
  ;;
esac
results=build/test/results.json

# Counts what lit wrote; fails if any test failed or none ran.
count_results() {
  python3 - "$results" <<'END'
import json
import sys

try:
    with open(sys.argv[1]) as file:
        tests = json.load(file)["tests"]
except OSError:
    tests = []
for test in tests:
    if test["code"] in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
        print(f"not run: {test['name']}")
passed = sum(test["code"] in ("PASS", "XFAIL", "FLAKYPASS") for test in tests)
failed = len(tests) - passed
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
END
}

scripts/install-deps.sh --tests
scripts/build.sh
rm -f "$results"
status=0
ninja -C build "$suite" || status=$?
count_results || status=1
exit "$status"
