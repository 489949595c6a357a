"""A replay of a kernel's SASS on one multiprocessor: a prediction of its speed without a
GPU.

    cubin.py    reads a cubin: kernels, registers, shared memory
    sass.py     instructions with their control codes, from nvdisasm's listing
    pipes.py    which pipe an instruction takes, and for how long
    chips.py    what the chips have, as data
    flow.py     basic blocks, dominators, loops, and the longest way through a loop
    ring.py     operations at the mbarriers of a ring, and who waits there for whom
    machine.py  all warps of one multiprocessor on one program, cycle by cycle
    rates.py    bounds, occupancy, cycles of a loop's iteration and of a whole block
    ablation.py what a loop would gain without one of its parts

Instructions issue in order, one a cycle and sub-partition, and obey what ptxas wrote
into them: stall counts, write and read barriers, waits. A pipe that is busy delays
them. Memory instructions have latencies and share one path of 128 bytes a cycle; block
barriers, groups of cp.async and the mbarriers of rings are modelled. So latency that
nobody hides, drains and barriers show, which counts of instructions do not see.

What is not modelled: misses of the instruction cache, conflicts of register banks and
of shared memory, the second-level cache beyond a latency and a rate, clocks that sink
by power, named barriers, mbarriers of bulk copies (what they wait for is taken to be
there), the issue slots of a warp that tests an mbarrier again and again, what a fence
of the block waits for, and lanes of a warp that arrive one after another.
"""
