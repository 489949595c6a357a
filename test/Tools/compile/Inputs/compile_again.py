"""Makes the code of a package again by the options in its manifest; the bytes are
the same."""

import json
import pathlib
import subprocess
import sys

source, first, second = map(pathlib.Path, sys.argv[1:])
manifest = json.loads((first / "manifest.json").read_text())
programs = manifest["programs"] + manifest["host_programs"]
assert programs
for program in programs:
    target = program["target"]
    options = [f"--{name}={value}" for name, value in program["options"].items()]
    subprocess.run(
        ["sparse-attn-compile", source, f"--entry={program['name']}", "-o", second]
        + ["--target=" + target.get("chip", target.get("cpu")), "--emit=ptx,host", *options],
        check=True,
    )
    for file in program["files"]:
        name = file["name"]
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
