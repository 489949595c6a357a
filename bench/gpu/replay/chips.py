"""The chips as data: rates, latencies and sizes of one multiprocessor.

A rate is the number of cycles that one warp instruction keeps a pipe of a
sub-partition busy: 32 lanes over the lanes of the pipe.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Chip:
    """Times are in cycles, sizes in bytes unless the name says another unit.

    Counts, clocks and bandwidths are from NVIDIA's white papers and data sheets, rates
    of pipes from the CUDA C++ Programming Guide's table of arithmetic throughput,
    latencies from published microbenchmarks of Ampere and Hopper, rounded.
    """

    name: str
    architecture: str  # of cubins: sm_80
    multiprocessors: int
    clock_ghz: float  # under this load: the boost clock of the data sheet
    shared: int  # of a multiprocessor; each block takes 1 KiB more than it asks for
    l2_bytes: int
    dram_bytes_per_second: float  # on paper
    # mma.sync m16n8k16, 16-bit inputs, f32 sums. Hopper: ptxas schedules for 6 cycles,
    # 6.36 are measured, 62.9% of what wgmma reaches.
    hmma: float = 8.0
    wgmma_fma: float = 512.0  # FMA a cycle and sub-partition
    fma: float = 2.0  # FFMA, FMUL, FADD
    imad: float = 2.0
    alu: float = 2.0
    xu: float = 8.0  # MUFU: 4 lanes
    uniform: float = 2.0
    xu_latency: int = 22
    shared_latency: int = 29  # of LDS and ldmatrix
    shuffle_latency: int = 23
    l2_latency: int = 300  # of a cp.async that hits the second-level cache
    l2_rate: float = 40.0  # bytes a cycle and multiprocessor
    barrier_latency: int = 20
    branch: int = 8  # until the target's first instruction, beyond the stall
    queue: float = 48.0  # of work that a pipe behind a queue takes in advance
    registers: int = 65536
    warps: int = 64
    blocks: int = 32


A100 = Chip("A100", "sm_80", 108, 1.41, 164 << 10, 40 << 20, 2.039e12)
H100 = Chip("H100", "sm_90", 132, 1.755, 228 << 10, 50 << 20, 3.35e12, hmma=6.36, fma=1.0)
# Of the H100's die, with other memory.
H200 = dataclasses.replace(H100, name="H200", dram_bytes_per_second=4.8e12)
CHIPS = {chip.name: chip for chip in (A100, H100, H200)}
