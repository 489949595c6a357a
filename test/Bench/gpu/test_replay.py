"""The replay of SASS, on listings whose cycles can be counted by hand."""

import dataclasses

import pytest
from listings import listing
from replay.ablation import gains
from replay.chips import A100, CHIPS, H100
from replay.cubin import Kernel
from replay.flow import (
    Flow,
    Work,
    has_barriers,
    other_loops,
    threads_of_barriers,
    tile_loops,
    trips_over,
)
from replay.machine import Machine
from replay.pipes import pipe_of, shared_cycles, tensor_cycles, tensor_fma
from replay.rates import bounds, occupancy, replay, whole_block
from replay.ring import roles
from replay.sass import Control, parse_listing

HMMA = "HMMA.16816.F32.BF16 R0, R4, R8, R0"


def code_of(*entries):
    return parse_listing(listing(*entries))


def program_of(*entries):
    return [(instruction, False) for instruction in code_of(*entries)]


def cycles_of(*entries, chip=A100, warps=1):
    """Between the ends of two runs of the program."""
    return pytest.approx(replay([program_of(*entries)] * warps, chip, blocks=1, seeds=1).cycles)


def one(text):
    return code_of(text)[0]


def test_control_codes_are_where_ptxas_writes_them():
    code = code_of(("FADD R1, R2, R3", {"stall": 13, "write": 2, "read": 5, "wait": (0, 4)}),
                   "@!PT LDS RZ, [RZ]")
    assert code[0].control == Control(stall=13, write=2, read=5, wait=0b10001)
    assert (code[0].address, code[1].address) == (0, 16)
    assert code[1].predicate == "@!PT" and code[1].op == "LDS" and code[1].never
    # Of a word that ptxas wrote: stall 15, yield, no barriers, wait for none.
    assert Control.of(0x000FDE0000000F00) == Control(15, 7, 7, 0)


def test_branches_find_their_labels():
    code = code_of(".L_x_1:", "FADD R1, R2, R3", "@P0 BRA `(.L_x_1)", "BRA `(.L_x_2)",
                   ".L_x_2:", "EXIT")
    assert [instruction.target for instruction in code] == [None, 0, 48, None]


@pytest.mark.parametrize("text, pipe", [
    (HMMA, "tensor"), ("MUFU.EX2 R1, R2", "xu"), ("FFMA R1, R2, R3, R4", "fma"),
    ("IMAD.WIDE R1, R2, R3, R4", "imad"), ("IADD3 R1, R2, R3, RZ", "alu"),
    ("LDSM.16.M88.4 R0, [R1]", "shared"), ("LDGSTS.E.128 [R1], [R2.64]", "global"),
    ("UIADD3 UR4, UR5, 0x1, URZ", "uniform"), ("R2UR UR4, R5", "uniform"),
    ("BRA `(.L_x_1)", "control"), ("@!PT LDS RZ, [RZ]", "none"),
])
def test_each_instruction_has_its_pipe(text, pipe):
    assert pipe_of(one(text)) == pipe


def test_products_take_what_their_shape_says():
    assert tensor_fma(one(HMMA)) == 16 * 8 * 16
    assert tensor_fma(one("HMMA.1688.F32.TF32 R0, R4, R8, R0")) == 16 * 8 * 8
    assert tensor_cycles(one("HMMA.1688.F32.TF32 R0, R4, R8, R0"), A100) == 8
    wgmma = one("HGMMA.64x128x16.F32.BF16 R0, gdesc[UR8], R0, gsb0")
    assert 4 * tensor_fma(wgmma) == 64 * 128 * 16
    assert tensor_cycles(wgmma, H100) == 64
    assert shared_cycles(one("LDSM.16.MT88.2 R0, [R1]")) == 2
    assert shared_cycles(one("STS.128 [R1], R4")) == 4


def test_stalls_and_busy_pipes_add_up():
    assert cycles_of(("FADD R1, R2, R3", {"stall": 4}), ("FADD R1, R1, R3", {"stall": 2})) == 6
    assert cycles_of(HMMA, HMMA) == 16
    assert cycles_of(HMMA, HMMA, chip=H100) == 2 * 6.36
    # Of eight warps two share a pipe.
    done = [time for warp in Machine(A100, [program_of(HMMA)] * 8, 1).run(5).warps
            for time in warp.done]
    assert max(done) - min(done) == pytest.approx(8 * (2 * 5 - 1))
    # Blocks of one warp spread over the sub-partitions.
    assert {warp.subpartition for warp in Machine(A100, [[]], 4).warps} == {0, 1, 2, 3}


def test_a_barrier_waits_for_the_result():
    exponential = ("MUFU.EX2 R1, R2", {"write": 0})
    use = ("FADD R3, R1, R1", {"wait": (0,), "stall": 4})
    assert cycles_of(exponential, use) == 2 + A100.xu_latency + 4
    load = ("LDS R1, [R2]", {"write": 3})
    use = ("FADD R3, R1, R1", {"wait": (3,), "stall": 5})
    assert cycles_of(load, use) == 4 + A100.shared_latency + 5
    shuffle = ("SHFL.BFLY PT, R1, R2, 0x1, 0x1f", {"write": 3})
    assert cycles_of(shuffle, use) == 4 + A100.shuffle_latency + 5
    load = ("LDG.E R1, [R2.64]", {"write": 3})
    assert cycles_of(load, use) == A100.l2_latency + 5


def test_operands_are_read_before_they_are_written_again():
    store = ("STS.128 [R1], R4", {"read": 1})
    write = ("MOV R4, R5", {"wait": (1,), "stall": 3})
    assert cycles_of(store, write) == 4 + 4 + 3


def test_copies_are_waited_for_by_groups():
    copy, commit = "LDGSTS.E.128 [R1], [R2.64]", "LDGDEPBAR"
    there = 4 + 128 * 4 / A100.l2_rate + A100.l2_latency
    assert cycles_of(copy, commit, ("DEPBAR.LE SB0, 0x0", {"stall": 6})) == there + 6
    # One group may stay in flight, so it is waited for in the next run.
    program = program_of(copy, commit, ("DEPBAR.LE SB0, 0x1", {"stall": 6}))
    done = Machine(A100, [program], 1).run(5).warps[0].done
    assert done[4] - done[2] == pytest.approx(there + 6)


def test_warps_of_a_block_meet_at_its_barrier():
    barrier = ("BAR.SYNC.DEFER_BLOCKING 0x0", {"stall": 5})
    assert cycles_of(barrier, warps=4) == A100.barrier_latency
    assert cycles_of(("BAR.SYNC 0x1, 0x80", {"stall": 5}), warps=4) == 5  # a named one


def test_a_jump_takes_longer():
    program = program_of(("FADD R1, R2, R3", {"stall": 4}))
    jump = program_of(("BRA `(.L_x_1)", {"stall": 5}))
    found = replay([program + [(jump[0][0], True)]], A100, 1, seeds=1).cycles
    assert found == pytest.approx(4 + 5 + A100.branch)


def test_groups_of_wgmma_are_waited_for():
    machine = Machine(H100, [program_of(
        "HGMMA.64x128x16.F32.BF16 R0, gdesc[UR8], R0, gsb0",
        ("WARPGROUP.DEPBAR.LE gsb0, 0x0", {"stall": 2}))], 1).run(3)
    done = machine.warps[0].done
    assert done[2] - done[1] == pytest.approx(4 + 64 + 24 + 2)


def test_one_start_is_one_replay():
    program = program_of(HMMA, ("MUFU.EX2 R1, R2", {"write": 0}),
                         ("FADD R3, R1, R1", {"wait": (0,)}))
    first, second = (replay([program] * 4, A100, 2, seeds=2) for _ in range(2))
    assert first == second and 0 < first.busy["tensor"] <= 1


# Tiles with a mask and without, a vote, the loop for operands that are not trusted.
KERNEL = (
    "MOV R0, R1", "@P0 BRA `(.L_other)",
    ".L_partial:", HMMA, "@P1 BRA `(.L_short)", "FADD R1, R1, R1", "FADD R1, R1, R1",
    "BRA `(.L_join)", ".L_short:", "FMUL R1, R1, R1", ".L_join:", "@P2 BRA `(.L_partial)",
    ".L_full:", HMMA, HMMA, "@P2 BRA `(.L_full)",
    "BAR.RED.OR.DEFER_BLOCKING 0x0, P3", "@!P3 BRA `(.L_end)",
    ".L_exact:", HMMA, "FADD R1, R1, R1", "@P2 BRA `(.L_exact)",
    ".L_end:", "EXIT", ".L_other:", "IADD3 R1, R1, -0x2, RZ", "@P0 BRA `(.L_other)", "EXIT",
)


def test_loops_are_found_with_their_longest_way():
    flow = Flow(code_of(*KERNEL))
    partial, full = tile_loops(flow)  # not what a vote leads to
    exact, = (flow.loop(head) for head in flow.bodies
              if flow.is_behind_a_vote(head) and flow.has_tensor(flow.bodies[head]))
    assert [instruction.base for instruction in partial.code] == [
        "HMMA", "BRA", "FADD", "FADD", "BRA", "BRA"]
    assert [jumps for _, jumps in partial.path] == [False, False, False, False, True, True]
    assert len(full.path) == 3 and len(exact.path) == 3
    other, = other_loops(flow)
    assert len(other.path) == 2


# Warps go around the mask that see all pairs, and around all but the copies that see none.
SELECTS = ["FSEL R1, R1, -INF , P3"] * 8
SKIPPING = (".L_x:", "MOV R0, R1", "@P1 BRA `(.L_none)", "MOV R0, R1", ".L_none:",
            "@!P2 BRA `(.L_next)", "LDSM.16.M88.4 R8, [R4]", HMMA, "@!P4 BRA `(.L_all)",
            *SELECTS, ".L_all:", "FADD R1, R1, R1", ".L_next:", "@P0 BRA `(.L_x)", "EXIT")


def test_a_loop_may_have_ways_without_the_mask_and_without_products():
    loop, = tile_loops(Flow(code_of(*SKIPPING)))
    copies = ["MOV", "BRA", "MOV", "BRA"]
    assert [i.base for i in loop.code] == [
        *copies, "LDSM", "HMMA", "BRA", *["FSEL"] * 8, "FADD", "BRA"]
    assert [i.base for i, _ in loop.plain] == [*copies, "LDSM", "HMMA", "BRA", "FADD", "BRA"]
    assert [i.base for i, _ in loop.skip] == [*copies, "BRA"]
    assert [jumps for _, jumps in loop.skip] == [False, False, False, True, True]
    works = [Work.MASKED, Work.NONE, Work.PLAIN]
    assert loop.program(works) == [*loop.path, *loop.skip, *loop.plain]
    for other in tile_loops(Flow(code_of(*KERNEL))):
        assert not other.has_choice and other.program(works) == other.path * 3


@pytest.mark.parametrize("code, trips", [
    (["UIADD3 UR5, UP0, UR5, -0x4, URZ", "ISETP.NE.U32.AND P0, PT, RZ, UR5, PT",
      "ISETP.NE.U32.AND.EX P0, PT, RZ, UR4, PT, P0"], 16),
    (["IADD3 R5, P0, R5, 0x400, RZ", "ISETP.NE.U32.AND P0, PT, R5, 0x4000, PT"], 16),
    (["VIADD R5, R5, 0x1", "VIADD R6, R6, -0x8", "ISETP.NE.AND P0, PT, R5.reuse, 0x20, PT"], 32),
    (["IADD3 R5, R5, 0x1, RZ", "ISETP.NE.AND P0, PT, R5, R6, PT"], 64),  # a limit at run time
    (["IADD3 R5, P1, R5, 0x8, RZ", "ISETP.GE.U32.AND P0, PT, R5, R6, PT"], 8),
    (["IADD3 R5, P1, R5, 0x1, RZ", "ISETP.GE.U32.AND P0, PT, R5, c[0x0][0x23c], PT"], 64),
    (["IADD3 R5, R5, -0x80, RZ", "ISETP.GT.AND P0, PT, R5, RZ, PT"], 1),
    (["IADD3 R5, R5, -0x2, RZ", "ISETP.NE.AND P1, PT, R5, RZ, PT"], 64),  # of another branch
])
def test_counters_say_how_often_a_loop_runs(code, trips):
    flow = Flow(code_of(".L_x:", *code, "@P0 BRA `(.L_x)", "EXIT"))
    assert other_loops(flow)[0].trips(64) == trips


def test_a_loop_behind_one_of_several_things_is_over_the_rest():
    def loops(*strides):
        return other_loops(Flow(code_of(*(line for number, stride in enumerate(strides) for line in (
            f".L_{number}:", f"IADD3 R5, R5, {stride:#x}, RZ", "ISETP.GE.AND P0, PT, R5, R6, PT",
            f"@!P0 BRA `(.L_{number})")), "EXIT")))
    assert trips_over(loops(1, 1), 40) == [40, 40]
    assert trips_over(loops(16, 4, 1, 1), 32) == [2, 0, 0, 32]
    assert trips_over(loops(16, 4, 1, 16), 43) == [2, 2, 3, 2]


def test_a_loop_that_leaves_by_a_call_has_its_condition():
    flow = Flow(code_of(".L_x:", "IADD3 R5, P1, R5, 0x8, RZ", "ISETP.GE.AND P0, PT, R5, R6, PT",
                        "@P0 CALL.REL.NOINC `(.L_y)", "BRA `(.L_x)", ".L_y:", "EXIT"))
    assert other_loops(flow)[0].trips(64) == 8


def test_a_whole_block_runs_its_loops_and_skips_what_a_vote_skips():
    flow = Flow(code_of(*KERNEL))
    partial, full = tile_loops(flow)
    program = whole_block(flow, [(partial, partial.path * 2), (full, full.path * 3)])
    names = [instruction.base for instruction, _ in program]
    assert names.count("HMMA") == 2 + 3 * 2 and names[-3:] == ["BAR", "BRA", "EXIT"]
    assert program[-2][1] and not program[1][1]
    assert [name for name, _ in zip(names, range(2))] == ["MOV", "BRA"]


# Two bodies: the first of 32 threads, behind a branch that the second takes.
JOINT = (
    "MOV R0, R1", "@P0 BRA `(.L_second)", "@P1 BRA `(.L_end)",
    ".L_few:", HMMA, "BAR.SYNC.DEFER_BLOCKING 0x1, 0x20", "@P2 BRA `(.L_few)",
    "BAR.RED.AND.DEFER_BLOCKING 0x1, 0x20, P3", "@P3 BRA `(.L_end)",
    ".L_exact:", HMMA, HMMA, "@P2 BRA `(.L_exact)", "EXIT",
    ".L_second:", "FADD R1, R1, R1",
    ".L_all:", HMMA, HMMA, HMMA, "BAR.SYNC.DEFER_BLOCKING 0x0", "@P2 BRA `(.L_all)",
    "BAR.RED.AND.DEFER_BLOCKING 0x0, P3", "@P3 BRA `(.L_end)", "FMUL R1, R1, R1",
    ".L_end:", "EXIT",
)


def test_bodies_of_a_kernel_are_told_apart_by_their_loops():
    flow = Flow(code_of(*JOINT))
    few, every = tile_loops(flow)
    assert (threads_of_barriers(few), threads_of_barriers(every)) == (32, None)
    assert has_barriers(few) and has_barriers(every)
    assert not has_barriers(tile_loops(Flow(code_of(".L_x:", HMMA, "@P0 BRA `(.L_x)", "EXIT")))[0])
    first = [i.base for i, _ in whole_block(flow, [(few, few.path * 2)], [few.head])]
    assert first.count("HMMA") == 2 and "FADD" not in first
    second = [i.base for i, _ in whole_block(flow, [(every, every.path * 2)], [every.head])]
    assert second.count("HMMA") == 6 and "FADD" in second and second[-1] == "EXIT"


def test_of_two_ways_to_the_last_loop_the_one_with_more_loops_is_taken():
    """A loop that may have no tile is skipped by what falls through."""
    flow = Flow(code_of(
        "@P0 BRA `(.L_first)", "BRA `(.L_second)",
        ".L_first:", HMMA, "@P1 BRA `(.L_first)",
        ".L_second:", HMMA, HMMA, "@P2 BRA `(.L_second)", "EXIT",
    ))
    first, second = tile_loops(flow)
    program = whole_block(flow, [(first, first.path * 2), (second, second.path * 3)],
                          [first.head, second.head])
    assert [i.base for i, _ in program].count("HMMA") == 2 + 3 * 2


def test_branches_on_uniform_predicates_are_conditional():
    flow = Flow(code_of("BRA.U !UP0, `(.L_end)", "FADD R1, R1, R1", ".L_end:", "EXIT"))
    assert [i.base for i, _ in whole_block(flow, [])] == ["BRA", "FADD", "EXIT"]


def test_calls_come_back():
    flow = Flow(code_of("CALL.REL.NOINC `(.L_divide)", ".L_x:", HMMA, "@P0 BRA `(.L_x)", "EXIT",
                        ".L_divide:", "FADD R1, R1, R1", "RET.REL.NODEC R2 `(.L_x)"))
    loop, = tile_loops(flow)
    assert [i.base for i in loop.code] == ["HMMA", "BRA"]


def test_a_loop_gains_what_a_part_costs():
    barrier = ("BAR.SYNC.DEFER_BLOCKING 0x0", {"stall": 1})
    found = gains([program_of(HMMA, barrier)] * 4, A100, 1)
    # 20 cycles from one barrier to the product behind it, 8 where nothing else is.
    assert found["no block barrier"] == pytest.approx((A100.barrier_latency + 1) / 8 - 1)
    assert found["no latency of jumps"] == found["no ldmatrix"] == 0


def test_bounds_are_of_the_busiest_pipe():
    code = code_of(HMMA, "MUFU.EX2 R1, R2", "IMAD R1, R2, R3, R4", "FADD R1, R2, R3",
                   "LDSM.16.M88.4 R0, [R1]", "MOV R1, R2")
    assert bounds([code] * 8, A100) == {
        "tensor": 16, "xu": 16, "fma": 8, "alu": 4, "shared": 32, "issue": 12}


def test_occupancy_is_limited_by_what_runs_out():
    kernel = Kernel("k", 0, registers=255, static_shared=0)
    assert dataclasses.astuple(occupancy(kernel, A100, 128, 49152)) == (2, "registers")
    assert dataclasses.astuple(occupancy(kernel, A100, 128, 98304)) == (1, "shared")
    small = Kernel("k", 0, registers=8, static_shared=0)
    assert dataclasses.astuple(occupancy(small, A100, 32, 0)) == (32, "blocks")
    assert dataclasses.astuple(occupancy(small, A100, 1024, 0)) == (2, "warps")
    # Eight warps of 211 registers fit, so do eight blocks of one.
    one_warp = Kernel("k", 0, registers=211, static_shared=0)
    assert dataclasses.astuple(occupancy(one_warp, A100, 32, 0)) == (8, "registers")
    assert dataclasses.astuple(occupancy(one_warp, A100, 96, 0)) == (2, "registers")


def test_h200_is_the_die_of_h100():
    assert dataclasses.replace(CHIPS["H200"], name="H100",
                               dram_bytes_per_second=H100.dram_bytes_per_second) == H100


# One iteration of a loop over tiles, at least what matters of it: wait for the tile, wait
# for the slot of the next one, copy it, read the tile, let its slot go.
RING_SM_80 = (
    ("LDS R5, [R4+0xc004]", {"write": 0}),
    ("LOP3.LUT P0, RZ, R5, 0x80000000, R6, 0x48, !PT", {"wait": (0,), "stall": 13}),
    ("LDS R7, [R4+0xc014]", {"write": 0}),
    ("LOP3.LUT P0, RZ, R7, 0x80000000, R6, 0x48, !PT", {"wait": (0,), "stall": 13}),
    "LDGSTS.E.128 [R1], [R2.64]", "ARRIVES.LDGSTSBAR.64 [UR4+0xc000]",
    ("LDSM.16.M88.4 R8, [R4]", {"write": 1}), ("FADD R3, R8, R8", {"wait": (1,)}),
    "MEMBAR.ALL.CTA", "ATOMS.ARRIVE.64 RZ, [UR4+0xc010]",
)
RING_SM_90 = (
    ("SYNCS.PHASECHK.TRANS64.TRYWAIT P0, [UR4+0xc000], R6", {"write": 0}),
    ("@!P0 BRA `(.L_again)", {"wait": (0,)}),
    ("SYNCS.PHASECHK.TRANS64.TRYWAIT P1, [UR4+0xc010], R6", {"write": 0}),
    ("@!P1 BRA `(.L_too)", {"wait": (0,)}),
    "LDGSTS.E.128 [R1], desc[UR6][R2.64]", "ARRIVES.LDGSTSBAR.64.ARVCNT [UR4+0xc000]",
    ("LDSM.16.M88.4 R8, [R4]", {"write": 1}), ("FADD R3, R8, R8", {"wait": (1,)}),
    "@!P2 SYNCS.ARRIVE.TRANS64.A1T0 RZ, [UR4+0xc010], RZ",
)


@pytest.mark.parametrize("ring", [RING_SM_80, RING_SM_90])
def test_operations_at_mbarriers_have_roles(ring):
    found = [role for role in roles(program_of(*ring), stages=2) if role]
    assert [(role.slot, role.waits) for role in found] == [
        ("full", True), ("empty", True), ("full", False), ("empty", False)]
    # Behind the loop's start, the first wait is for what the run before copied.
    assert [role.offset for role in found if role.waits] == [1, 2]
    # With the first copies before the loop it is for those; a barrier starts a new ring.
    first = ["LDGSTS.E.128 [R1], [R2.64]", "ARRIVES.LDGSTSBAR.64 [UR4+0xc000]"]
    whole = program_of(*first, *ring, "BAR.SYNC.DEFER_BLOCKING 0x0", *first, *ring)
    waits = [role for role in roles(whole, stages=2) if role and role.waits]
    assert [(role.round, role.slot, role.offset) for role in waits] == [
        (0, "full", 0), (0, "empty", 2), (1, "full", 0), (1, "empty", 2)]
    assert [role.offset for role in roles(program_of(*ring), stages=3)
            if role and role.waits] == [2, 2]


@pytest.mark.parametrize("chip, ring", [(A100, RING_SM_80), (H100, RING_SM_90)])
def test_warps_wait_at_a_ring_for_each_others_copies(chip, ring):
    # The copies of one run are there when the next one starts, and no earlier: those of
    # 4 warps, each of 512 bytes.
    there = chip.l2_latency + 512 * 4 / chip.l2_rate
    found = replay([program_of(*ring)] * 4, chip, 1, seeds=1).cycles
    assert there < found < there + 150
    # With a third slot they have two runs.
    more = replay([program_of(*ring)] * 4, chip, 1, seeds=1, stages=3).cycles
    assert found / 2 - 5 < more < found / 2 + 100


def test_a_warp_waits_at_a_ring_for_the_slowest():
    machine = Machine(H100, [program_of(*RING_SM_90)] * 4, 1)
    machine.warps[3].ready += 5000
    machine.run(3)
    assert max(warp.done[0] for warp in machine.warps[:3]) < 5000
    assert min(warp.done[1] for warp in machine.warps[:3]) > 5000


def test_warps_may_have_programs_of_their_own():
    product, rest = [program_of(text, ("NOP", {"stall": 9})) for text in (HMMA, "NOP")]
    machine = Machine(A100, [product, rest], 1).run(2)
    assert machine.busy["tensor"] == 2 * 8
    # What one warp keeps busy, it alone does.
    code = [[instruction for instruction, _ in program] for program in (product, rest)]
    assert bounds(code, A100)["tensor"] == 8 / 4


def test_a_warp_that_computes_nothing_goes_ahead_by_a_tile():
    slow = program_of(*RING_SM_90, ("NOP", {"stall": 15})) + program_of(
        *[("NOP", {"stall": 15})] * 400)
    fast = program_of(*RING_SM_90)
    done = [warp.done for warp in Machine(H100, [slow, fast], 1).run(6).warps]
    assert all(ahead < behind for behind, ahead in zip(*done))
    # By no more: the slot that it fills must be empty.
    assert all(ahead > behind for behind, ahead in zip(done[0], done[1][2:]))


def test_testing_an_mbarrier_again_is_no_way_through_a_loop():
    code = code_of(".L_loop:", *RING_SM_90[:2], ".L_on:", HMMA, "@P3 BRA `(.L_loop)", "EXIT",
                   ".L_again:", *RING_SM_90[:1], "@!P0 BRA `(.L_again)", "BRA `(.L_on)")
    loop, = tile_loops(Flow(code))
    assert [instruction.base for instruction in loop.code] == ["SYNCS", "BRA", "HMMA", "BRA"]
    code = code_of(".L_loop:", ".L_test:", *RING_SM_80[:2], "NOP", "@!P0 BRA `(.L_test)", HMMA,
                   "@P3 BRA `(.L_loop)", "EXIT")
    loop, = tile_loops(Flow(code))
    assert len(loop.path) == 6
