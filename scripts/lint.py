#!/usr/bin/env python3
"""clang-format and clang-tidy over the project's C++ sources, two files at a time.

    scripts/lint.py [--fresh] [--format | --quick] [FILE...]

FILE are sources, by default all of lib/ and tools/, whose headers are looked at
with them. The build folder must be built: how a source is compiled, and what it
includes, is taken from there. What clang-tidy passed is remembered, by a hash of
all that its answer depends on, in ~/.cache/sparse-attn-lint (in XDG_CACHE_HOME,
where that is set); --fresh asks again. With --quick clang-tidy leaves its static
analyzer out, which takes as long as all the rest; with --format only clang-format
runs, which needs no build. Exits with 1 if anything is found.
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
# clang-tidy would look at all of a precompiled header's names, in each source.
PRECOMPILED = re.compile(r" -Xclang -include-pch -Xclang \S+")
ANALYZER = "-clang-analyzer-*"


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


def write_commands():
    """How sources are compiled without precompiled headers; the folder of that."""
    folder = BUILD / "lint"
    folder.mkdir(exist_ok=True)
    text = (BUILD / "compile_commands.json").read_text()
    (folder / "compile_commands.json").write_text(PRECOMPILED.sub("", text))
    return folder


def tidy(source, stamp, commands, checks):
    """What is found in a source: nothing, if it is clean."""
    done = subprocess.run(
        [TIDY, "-p", commands, "--quiet", f"--checks={checks}", "--warnings-as-errors=*"]
        + [source.name],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr


def is_tidy(names, fresh, quick):
    CACHE.mkdir(parents=True, exist_ok=True)
    tools, commands = versions(), write_commands()
    jobs, count = [], 0
    for source in sources(names):
        count += 1
        stamp = CACHE / source.fingerprint(tools)
        # Who has passed all has passed the quick ones.
        passed = [stamp, stamp.with_suffix(".quick")] if quick else [stamp]
        if fresh or not any(path.exists() for path in passed):
            jobs.append((source, passed[-1]))
    print(f"{TIDY}: {count} sources, {count - len(jobs)} of them passed before")
    clean = True
    checks = ANALYZER if quick else ""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda job: tidy(*job, commands, checks), jobs)
        for (source, _), found in zip(jobs, results):
            if found:
                clean = False
                print(f"== {source.name}\n{found}", flush=True)
    return clean


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fresh", action="store_true")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--format", action="store_true")
    parts.add_argument("--quick", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    clean = is_formatted()
    if not arguments.format:
        clean = is_tidy(set(arguments.files), arguments.fresh, arguments.quick) and clean
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
