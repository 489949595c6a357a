#!/usr/bin/env bash
# Installs what is needed, builds, and runs all tests: GoogleTest, lit, and the
# comparisons with PyTorch. Ends with a line `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

results=build/test/results.json

# Counts what lit wrote; fails if any test failed or none ran.
count_results() {
  python3 - "$results" <<'END'
import json
import sys

try:
    with open(sys.argv[1]) as file:
        codes = [test["code"] for test in json.load(file)["tests"]]
except OSError:
    codes = []
passed = sum(code in ("PASS", "XFAIL", "FLAKYPASS") for code in codes)
skipped = sum(code in ("UNSUPPORTED", "SKIPPED", "EXCLUDED") for code in codes)
failed = len(codes) - passed - skipped
if skipped:
    print(f"{skipped} not run here")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
END
}

scripts/install-deps.sh --tests
scripts/build.sh
rm -f "$results"
status=0
ninja -C build check-sparse-attn || status=$?
count_results || status=1
exit "$status"
