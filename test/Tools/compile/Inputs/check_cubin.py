"""Checks what a package says of its cubins against them: the chip and the kernels."""

import pathlib
import re
import subprocess
import sys

import manifest

directory = pathlib.Path(sys.argv[1])
for program in manifest.load(directory)["programs"]:
    (name,) = (file["name"] for file in program["files"] if file["kind"] == "cubin")
    listed = subprocess.run(
        ["llvm-readelf", "-h", "-s", directory / name],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    (chip,) = re.findall(r"Flags: .*, (sm_\d+)", listed)
    assert chip == program["target"]["chip"].removesuffix("a"), (chip, program["target"])
    kernels = re.findall(r" FUNC +GLOBAL .* (\S+)$", listed, re.M)
    launched = {launch["kernel"] for launch in manifest.launches(program)}
    assert sorted(kernels) == sorted(launched), (kernels, launched)
    print(program["name"], chip, len(kernels), "kernels")
