"""Runs pytest for lit: %pytest.

Tests here start tens of thousands of processes. On a virtual machine whose memory
was being reclaimed, exec has failed with EFAULT about once in that many, whatever it
was to start; such a process is started once more. No other failure is repeated.

A test that is skipped has not run, which is a failure here: what tests need is
installed by scripts/install-deps.sh --tests.
"""

import errno
import subprocess
import sys

import pytest

_start = subprocess.Popen.__init__


def _start_again(self, *arguments, **options):
    try:
        _start(self, *arguments, **options)
    except OSError as error:
        if error.errno != errno.EFAULT:
            raise
        print(f"starting again after: {error}", file=sys.stderr)
        _start(self, *arguments, **options)


class SkipsFail:
    """A plugin of pytest's that counts skipped tests and modules."""

    def __init__(self):
        self.skipped = []

    def pytest_runtest_logreport(self, report):
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(f"{report.nodeid}: {report.longrepr[2]}")

    def pytest_collectreport(self, report):
        if report.skipped:
            self.skipped.append(f"{report.nodeid}: {report.longrepr[2]}")

    def pytest_sessionfinish(self, session):
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for line in self.skipped:
            terminalreporter.write_line(f"not run, which fails: {line}")


if __name__ == "__main__":
    subprocess.Popen.__init__ = _start_again
    del sys.path[0]  # this folder
    options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
    sys.exit(pytest.main([*options, *sys.argv[1:]], plugins=[SkipsFail()]))
