"""Checks a package against its own PTX: kernels, their parameters, the chip."""

import pathlib
import re
import sys

import manifest

directory = pathlib.Path(sys.argv[1])
for program in manifest.load(directory)["programs"]:
    name = next(f["name"] for f in program["files"] if f["kind"] == "ptx")
    ptx = (directory / name).read_text()
    target = program["target"]
    assert f".version {target['ptx_version']}\n" in ptx
    assert f".target {target['chip']}\n" in ptx
    kernels = dict(re.findall(r"\.entry (\S+?)\(([^)]*)\)", ptx))
    launched = [launch["kernel"] for launch in program["launches"]]
    assert sorted(kernels) == sorted(set(launched)), (kernels, launched)
    for launch in program["launches"]:
        parameters = re.findall(r"\.param \.\w(\d+)", kernels[launch["kernel"]])
        bits = [32 if "i32" in argument else 64 for argument in launch["arguments"]]
        assert [int(p) for p in parameters] == bits, launch["kernel"]
        # Pointers first, then integers.
        integers = [a.keys() & {"i32", "i64", "stride"} != set() for a in launch["arguments"]]
        assert integers == sorted(integers)
    print(program["name"], target["chip"], len(launched), "launches")
