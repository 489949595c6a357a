#!/usr/bin/env python3
"""Counts what lit wrote, and ends with a line `N passed, N failed`.

    scripts/count-results.py [--failed WHAT]... RESULTS.json...

A test that did not run counts as failed, and so does a file that is not there, of
which nothing ran. --failed counts one thing more as failed, by its name. Exits with
1 if anything failed or nothing passed.
"""

import argparse
import json
import sys

PASSED = ("PASS", "XFAIL", "FLAKYPASS")
NOT_RUN = ("UNSUPPORTED", "SKIPPED", "EXCLUDED")


def tests(path):
    """The names and lit's codes of the tests in a file."""
    try:
        with open(path) as file:
            found = json.load(file)["tests"]
    except (OSError, ValueError):
        found = []
    return [(test["name"], test["code"]) for test in found] or [(path, "SKIPPED")]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--failed", action="append", default=[], metavar="WHAT")
    parser.add_argument("results", nargs="+")
    arguments = parser.parse_args()
    passed, failed = 0, len(arguments.failed)
    for what in arguments.failed:
        print(f"failed: {what}")
    for path in arguments.results:
        for name, code in tests(path):
            if code in PASSED:
                passed += 1
                continue
            failed += 1
            print(f"not run: {name}" if code in NOT_RUN else f"failed: {name}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


if __name__ == "__main__":
    main()
