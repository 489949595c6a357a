#!/usr/bin/env python3
"""clang-format and clang-tidy over the project's C++ sources, two files at a time.

    scripts/lint.py [--fresh | --format] [FILE...]

FILE are sources, by default all of lib/ and tools/, whose headers are looked at
with them. The build folder must be built: how a source is compiled, and what it
includes, is taken from there. What clang-tidy passed is remembered, by a hash of
all that its answer depends on, in ~/.cache/sparse-attn-lint (in XDG_CACHE_HOME,
where that is set); --fresh asks again. With --format only clang-format runs, which
needs no build. Exits with 1 if anything is found.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    / "sparse-attn-lint"
)
FORMAT, TIDY = "clang-format-22", "clang-tidy-22"
FORMATTED = [f"*.{suffix}" for suffix in ("c", "cpp", "h")]
TIDIED = ("lib/", "tools/")
OUTPUT = re.compile(r" -o (\S+)")


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def is_formatted():
    files = output_of("git", "ls-files", *FORMATTED).splitlines()
    return subprocess.run([FORMAT, "--dry-run", "-Werror", *files], cwd=ROOT).returncode == 0


@functools.cache  # most sources include the same headers
def located(name):
    return (BUILD / name).resolve()


def dependencies():
    """What each object was compiled from, by the object's path in the build folder."""
    found, files = {}, []
    for line in output_of("ninja", "-C", BUILD, "-t", "deps").splitlines():
        if line.startswith("    "):
            files.append(located(line.strip()))
        elif ": #deps" in line:
            files = found[line.partition(": #deps")[0]] = []
    return found


class Source:
    """A source file, how it is compiled, and all it includes."""

    def __init__(self, entry, includes):
        self.name = str(pathlib.Path(entry["file"]).relative_to(ROOT))
        self.command = entry["command"].replace(str(ROOT), ".")
        self.includes = includes.get(OUTPUT.search(entry["command"])[1])
        if self.includes is None:
            sys.exit(f"lint: {self.name} is not built; scripts/build.sh comes first")

    def fingerprint(self, tools):
        """Of our files the contents, in any folder; of others the names, since
        `tools` has the versions of what they belong to."""
        parts = [tools, self.name, self.command]
        for path in sorted(self.includes):
            if path.is_relative_to(ROOT):
                parts += [str(path.relative_to(ROOT)), path.read_text()]
            else:
                parts.append(str(path))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sources(names):
    includes = dependencies()
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT):
            continue
        name = str(path.relative_to(ROOT))
        if not (name in names if names else name.startswith(TIDIED)):
            continue
        yield Source(entry, includes)


def versions():
    """Of all outside the project that clang-tidy's answer depends on."""
    packages = ["clang-tidy-22", "llvm-22-dev", "libmlir-22-dev", "libstdc++-12-dev"]
    shown = output_of("dpkg-query", "-W", *packages)
    return shown + (ROOT / ".clang-tidy").read_text()


def tidy(source, stamp):
    """What is found in a source: nothing, if it is clean."""
    done = subprocess.run(
        [TIDY, "-p", BUILD, "--quiet", "--warnings-as-errors=*", source.name],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr


def is_tidy(names, fresh):
    CACHE.mkdir(parents=True, exist_ok=True)
    tools = versions()
    jobs = [(source, CACHE / source.fingerprint(tools)) for source in sources(names)]
    left = [job for job in jobs if fresh or not job[1].exists()]
    print(f"{TIDY}: {len(jobs)} sources, {len(jobs) - len(left)} of them passed before")
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (source, _), found in zip(left, pool.map(lambda job: tidy(*job), left)):
            if found:
                clean = False
                print(f"== {source.name}\n{found}", flush=True)
    return clean


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--format", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    clean = is_formatted()
    if not arguments.format:
        clean = is_tidy(set(arguments.files), arguments.fresh) and clean
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
