# RUN: %pytest %s
"""Hand-written kernels in the emulator: right under every schedule, and caught
when a barrier, a wait, a guard or a swizzle is missing."""

import pathlib
import subprocess

import numpy as np
import pytest

INPUTS = pathlib.Path(__file__).parent.parent / "Inputs"
SEEDS = range(8)


def round_bf16(x):
    bits = x.astype("f4").view("u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view("f4")


class Kernel:
    """A file with a function of the same name, its inputs and its result."""

    def __init__(self, name, inputs, expected):
        self.path = INPUTS / f"{name}.mlir"
        self.inputs = inputs
        self.expected = expected

    def compile(self, folder, mutate=lambda text: text):
        for index, array in enumerate(self.inputs):
            np.save(folder / f"{index}.npy", array)
        source = folder / "source.mlir"
        source.write_text(mutate(self.path.read_text()))
        subprocess.run(
            ["sparse-attn-opt", source, "-o", folder / "lowered.mlir"]
            + ["--convert-scf-to-cf", "--convert-cf-to-llvm"]
            + ["--convert-arith-to-llvm=index-bitwidth=64"],
            check=True,
        )

    def run(self, folder, seed, seeds=1):
        """The report, and whether the result is right."""
        output = folder / "output.npy"
        result = subprocess.run(
            ["sparse-attn-run", folder / "lowered.mlir", "--device=emulator"]
            + [f"--schedule-seed={seed}", f"--repeat={seeds}", f"--output={output}"]
            + [f"--input={folder / str(i)}.npy" for i in range(len(self.inputs))],
            capture_output=True,
            text=True,
        )
        if result.returncode != 0:
            assert result.returncode == 1, result.stderr
            return result.stderr, False
        return "", np.allclose(np.load(output), self.expected, 1e-5, 1e-4)


rng = np.random.default_rng(0)
a, b = rng.standard_normal((2, 1000)).astype("f4")
x = rng.standard_normal((37, 200)).astype("f4")
rows = rng.standard_normal((11, 256)).astype("f4")
m = round_bf16(rng.standard_normal((100, 192)))
n = round_bf16(rng.standard_normal((192, 64)))
KERNELS = {
    "vector-add": Kernel("vector-add", [a, b], a + b),
    "row-sum": Kernel("row-sum", [x], x.sum(1)),
    "column-sum": Kernel("column-sum", [rows], rows.sum(0)),
    "matmul": Kernel("matmul", [m, n], m.astype("f8") @ n.astype("f8")),
}


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_every_schedule_gives_the_result(kernel, tmp_path):
    # The tool compares the bits of the results.
    kernel.compile(tmp_path)
    report, right = kernel.run(tmp_path, 0, seeds=8)
    assert report == "" and right, report


def test_a_result_that_depends_on_the_schedule_is_an_error(tmp_path):
    """Atomics do not race, but each thread sees the sum of those before it."""

    def mutate(text):
        text = text.replace(
            "llvm.func @add",
            "llvm.mlir.global internal @sum(0.0 : f32) {addr_space = 1 : i32} : f32\n"
            "    llvm.func @add",
        )
        return text.replace(
            "llvm.store %z, %po",
            "%sum = llvm.mlir.addressof @sum : !llvm.ptr<1>\n"
            "      %before = llvm.atomicrmw fadd %sum, %z monotonic : !llvm.ptr<1>, f32\n"
            "      llvm.store %before, %po",
        )

    kernel = KERNELS["vector-add"]
    kernel.compile(tmp_path, mutate)
    report, _ = kernel.run(tmp_path, 0, seeds=2)
    assert "result 0 differs between the schedule seeds 0 and 1" in report


RACE = "race in shared memory"
IN_FLIGHT = "that an asynchronous copy still writes"
UNWRITTEN = "that nobody has written"
OUTSIDE_GLOBAL = "access outside of global memory"
WRONG = "wrong result"
DEADLOCK = "deadlock"
NO_MBARRIER = "use of an mbarrier that is not initialised"

GUARDED_BARRIER = """%some = arith.cmpi slt, %tid, {0} : i32
      scf.if %some {{
        nvvm.barrier0
      }}"""
PLAIN_OFFSET = """%plain = arith.muli {0}, %c128 : i32
        %inside16 = arith.muli {1}, %c16 : i32
        {2} = arith.addi %plain, %inside16 : i32"""

# Kernel, what is broken, the text, what replaces it, what may be reported.
MUTANTS = [
    # Deleted
    ("matmul", "first commit", "nvvm.cp.async.commit.group // first", "//", [IN_FLIGHT]),
    ("matmul", "commit", "nvvm.cp.async.commit.group // commit", "", [IN_FLIGHT]),
    ("matmul", "wait", "nvvm.cp.async.wait.group 1", "", [IN_FLIGHT]),
    ("matmul", "barrier after copies", "nvvm.barrier0 // arrived", "", [RACE, IN_FLIGHT, UNWRITTEN]),
    ("matmul", "barrier before reuse", "nvvm.barrier0 // consumed", "", [RACE, IN_FLIGHT]),
    ("row-sum", "barrier", "nvvm.barrier0", "", [RACE, UNWRITTEN]),
    ("row-sum", "shuffle", "%s4 = llvm.fadd %s8, %y4 : f32", "%s4 = llvm.fadd %s8, %zero : f32", [WRONG]),
    ("column-sum", "wait until full", "llvm.call @wait(%full, %parity) : (!llvm.ptr<3>, i32) -> () // full", "", [RACE, IN_FLIGHT, UNWRITTEN]),
    ("column-sum", "wait until empty", "llvm.call @wait(%empty, %before) : (!llvm.ptr<3>, i32) -> () // empty", "", [RACE, IN_FLIGHT]),
    ("column-sum", "arrival of copies", "nvvm.cp.async.mbarrier.arrive %full {noinc = true} : !llvm.ptr<3>", "", [DEADLOCK]),
    ("column-sum", "arrival of readers", "%state = nvvm.mbarrier.arrive %empty : !llvm.ptr<3> -> i64", "", [DEADLOCK]),
    ("column-sum", "copy", "nvvm.cp.async.shared.global %target, %source, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>", "", [UNWRITTEN]),
    ("column-sum", "barrier behind the initialisation", "nvvm.barrier0", "", [RACE, NO_MBARRIER]),
    ("column-sum", "barrier before the invalidation", "nvvm.barrier0\n    scf.if %first {\n      nvvm.mbarrier.inval", "scf.if %first {\n      nvvm.mbarrier.inval", [RACE, NO_MBARRIER, "invalidates an mbarrier"]),
    ("column-sum", "meeting of the lanes", "nvvm.bar.warp.sync %all : i32", "", [RACE, IN_FLIGHT]),
    ("column-sum", "initialisation", "nvvm.mbarrier.init %empty1, %warps : !llvm.ptr<3>, i32", "", [NO_MBARRIER]),
    # Too weak
    ("matmul", "wait for one group less", "wait.group 1", "wait.group 2", [IN_FLIGHT]),
    ("matmul", "wait after the barrier", "nvvm.cp.async.wait.group 1\n      nvvm.barrier0", "nvvm.barrier0\n      nvvm.cp.async.wait.group 1", [RACE, IN_FLIGHT]),
    ("matmul", "barrier of half the block", "nvvm.barrier0 // consumed", GUARDED_BARRIER.format("%c64"), [RACE, IN_FLIGHT]),
    ("matmul", "barrier of half a warp", "nvvm.barrier0 // consumed", GUARDED_BARRIER.format("%c16"), ["diverges", RACE, IN_FLIGHT]),
    ("row-sum", "barrier of one warp", "nvvm.barrier0", "nvvm.barrier id = %c1 number_of_threads = %c32", [RACE, UNWRITTEN]),
    ("row-sum", "shuffle of half a warp", "bfly %all, %mine", "bfly %c31, %mine", ["which the mask", "reads from lane"]),
    ("row-sum", "divergent shuffle", "%y1 = nvvm.shfl.sync bfly %all, %s2, %c1, %c31 : f32 -> f32", "%low = arith.cmpi slt, %lane, %c16 : i32\n    %y1 = scf.if %low -> f32 {\n %z = nvvm.shfl.sync bfly %all, %s2, %c1, %c31 : f32 -> f32\n scf.yield %z : f32\n } else {\n scf.yield %s2 : f32\n }", ["deadlock", "has exited", "diverges"]),
    ("row-sum", "all lanes store", "%first_lane = arith.cmpi eq, %lane, %c0", "%first_lane = arith.cmpi sge, %lane, %c0", [RACE]),
    ("column-sum", "arrival before the loads", "%value = llvm.load %source : !llvm.ptr<3> -> vector<4xf32>", "%early = arith.addi %slot, %c2 : i32\n %gone = llvm.call @mbarrier(%early) : (i32) -> !llvm.ptr<3>\n nvvm.bar.warp.sync %all : i32\n scf.if %first_lane {\n %s = nvvm.mbarrier.arrive %gone : !llvm.ptr<3> -> i64\n }\n %value = llvm.load %source : !llvm.ptr<3> -> vector<4xf32>", [RACE, IN_FLIGHT, DEADLOCK, "arrives 1 times"]),
    ("column-sum", "parity when waiting for full", "@wait(%full, %parity)", "@wait(%full, %c0)", [DEADLOCK, RACE, IN_FLIGHT, WRONG]),
    ("column-sum", "other parity when waiting for full", "(%full, %parity) : (!llvm.ptr<3>, i32) -> () // full", "(%full, %slot) : (!llvm.ptr<3>, i32) -> () // full", [DEADLOCK, RACE, IN_FLIGHT, UNWRITTEN]),
    ("column-sum", "parity when waiting for empty", "@wait(%empty, %before)", "@wait(%empty, %parity)", [DEADLOCK]),
    ("column-sum", "too few copies are waited for", "init %full0, %threads", "init %full0, %c31", [RACE, IN_FLIGHT, UNWRITTEN]),
    ("column-sum", "too many copies are waited for", "init %full1, %threads", "init %full1, %all_threads", [DEADLOCK]),
    ("column-sum", "too few readers are waited for", "init %empty0, %warps", "init %empty0, %c1", [RACE, IN_FLIGHT, DEADLOCK]),
    ("column-sum", "copies arrive on top", "{noinc = true}", "{noinc = false}", [DEADLOCK]),
    ("column-sum", "initialised twice", "nvvm.mbarrier.init %empty1, %warps : !llvm.ptr<3>, i32", "nvvm.mbarrier.init %empty1, %warps : !llvm.ptr<3>, i32\n nvvm.mbarrier.init %empty1, %warps : !llvm.ptr<3>, i32", ["initialisation of an mbarrier that is in use"]),
    ("column-sum", "initialised by all", "scf.if %first {\n      nvvm.mbarrier.init", "%some = arith.cmpi slt, %tid, %threads : i32\n    scf.if %some {\n      nvvm.mbarrier.init", ["initialisation of an mbarrier that is in use"]),
    # Addresses
    ("column-sum", "mbarriers in the slots", "%slots = arith.constant 2048", "%slots = arith.constant 2032", ["that holds an mbarrier"]),
    ("column-sum", "mbarriers at multiples of 4", "%slots = arith.constant 2048", "%slots = arith.constant 2044", ["misaligned access to shared memory"]),
    ("matmul", "A is written without swizzle", "%offset = llvm.call @chunk_offset(%row, %chunk) : (i32, i32) -> i32", PLAIN_OFFSET.format("%row", "%chunk", "%offset"), [WRONG]),
    ("matmul", "A is read without swizzle", "%aoffset = llvm.call @chunk_offset(%arow, %achunk) : (i32, i32) -> i32", "%c128 = arith.constant 128 : i32\n" + PLAIN_OFFSET.format("%arow", "%achunk", "%aoffset"), [WRONG]),
    ("matmul", "B is read without swizzle", "%boffset = llvm.call @chunk_offset(%brow, %bchunk) : (i32, i32) -> i32", "%c128 = arith.constant 128 : i32\n" + PLAIN_OFFSET.format("%brow", "%bchunk", "%boffset"), [WRONG]),
    ("matmul", "A is read transposed", "layout = #nvvm.mma_layout<row>, shape = #nvvm.ld", "layout = #nvvm.mma_layout<col>, shape = #nvvm.ld", [WRONG]),
    ("matmul", "copies into the stage that is read", "%other_offset = arith.muli %other", "%other_offset = arith.muli %this", [RACE, IN_FLIGHT, WRONG]),
    ("matmul", "copies of half the size", "%asource, 16, cache = cg, %bytes", "%asource, 8, cache = ca, %c0", [UNWRITTEN, RACE]),
    ("matmul", "rows beyond the end are read", "%bytes = arith.select %inside, %c16, %c0", "%bytes = arith.addi %c16, %c0", [OUTSIDE_GLOBAL]),
    ("matmul", "rows beyond the end are written", "%inside = arith.cmpi slt, %row, %rows", "%inside = arith.cmpi sge, %row, %c0", [OUTSIDE_GLOBAL]),
    ("matmul", "shared memory too small", "constant 32768", "constant 32752", ["access outside of shared memory"]),
    ("matmul", "odd chunk", "%c7 = arith.constant 7 : i32\n    %c16 = arith.constant 16", "%c7 = arith.constant 7 : i32\n    %c16 = arith.constant 12", ["misaligned access to shared memory"]),
    ("vector-add", "one element too many", '"slt" %i, %n', '"sle" %i, %n', [OUTSIDE_GLOBAL]),
    ("vector-add", "blocks overlap", "%first = llvm.mul %ctaid, %ntid", "%first = llvm.mul %ctaid, %ctaid", ["race in global memory"]),
]


@pytest.mark.parametrize(
    "name, old, new, reports",
    [(mutant[0], *mutant[2:]) for mutant in MUTANTS],
    ids=[f"{mutant[0]}: {mutant[1]}" for mutant in MUTANTS],
)
def test_a_broken_kernel_is_caught(name, old, new, reports, tmp_path):
    def mutate(text):
        assert old in text
        text = text.replace(old, new, 1)
        return text.replace(
            "%c31 = arith",
            "%c32 = arith.constant 32 : i32\n    %all_threads = arith.constant 65 : i32\n    %c31 = arith",
            1,
        )

    kernel = KERNELS[name]
    kernel.compile(tmp_path, mutate)
    for seed in list(SEEDS)[:3]:
        report, right = kernel.run(tmp_path, seed)
        assert not right, f"seed {seed} does not notice"
        report = report or WRONG
        assert any(text in report for text in reports), report
        if report != WRONG and "launched with" not in report:
            assert f"replay with schedule seed {seed}" in report


def test_a_seed_replays_its_report(tmp_path):
    kernel = KERNELS["row-sum"]
    kernel.compile(tmp_path, lambda text: text.replace("nvvm.barrier0", ""))
    reports = {seed: kernel.run(tmp_path, seed)[0] for seed in SEEDS}
    assert len(set(reports.values())) > 2
    for seed in SEEDS:
        assert kernel.run(tmp_path, seed)[0] == reports[seed]
