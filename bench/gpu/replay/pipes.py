"""Which pipe of a multiprocessor an instruction takes, and for how long."""

import re
from collections.abc import Set

from replay.chips import Chip
from replay.sass import Instruction

TENSOR: Set[str] = frozenset("HMMA IMMA BMMA DMMA HGMMA QGMMA IGMMA".split())
ALU: Set[str] = frozenset("""
    FMNMX FSETP FSEL FSET FCHK ISETP IADD3 IADD IABS IMNMX LOP3 LEA SHF SEL PRMT PLOP3
    MOV P2R R2P VIADD VIMNMX VIADDMNMX VIMNMX3 FMNMX3 F2FP SGXT BMSK SHL SHR ISCADD FLO
    CSEL VOTE I2FP F2IP I2IP LOP VABSDIFF HMNMX2 HSETP2 FADD2A""".split())
FMA: Set[str] = frozenset(
    "FFMA FMUL FADD FSWZADD HFMA2 HADD2 HMUL2 FFMA2 FMUL2 FADD2".split())
XU: Set[str] = frozenset("MUFU F2F I2F F2I FRND POPC BREV".split())
SHARED: Set[str] = frozenset("LDS LDSM STS STSM ATOMS SHFL REDUX MATCH".split())
GLOBAL: Set[str] = frozenset("""
    LDG STG LD ST LDGSTS ATOM ATOMG RED LDL STL LDC CCTL UTMALDG UTMASTG UBLKCP LDTM S2R
    CS2R""".split())
# Their pipe by the set that has them.
PIPES = (("tensor", TENSOR), ("xu", XU), ("fma", FMA), ("shared", SHARED),
         ("global", GLOBAL), ("alu", ALU))
# FMA of one warp's mma.sync, by shape, of 16-bit inputs.
MMA_FMA = {"16816": 2048, "1688": 1024, "884": 256, "1684": 512}


def pipe_of(instruction: Instruction) -> str:
    if instruction.never:
        return "none"
    base = instruction.base
    if base.startswith("IMAD") or base == "IDP":
        return "imad"
    for pipe, names in PIPES:
        if base in names:
            return pipe
    return "uniform" if base.startswith("U") or base in ("R2UR", "S2UR") else "control"


def tensor_fma(instruction: Instruction) -> int:
    """Multiplications of one warp's instruction, each with an addition."""
    if match := re.search(r"[HQ]GMMA\.64x(\d+)x(\d+)", instruction.op):
        return 16 * int(match[1]) * int(match[2])
    if match := re.match(r"HMMA\.(\d+)", instruction.op):
        return MMA_FMA.get(match[1], 2048)
    return 2048


def tensor_cycles(instruction: Instruction, chip: Chip) -> float:
    fma = tensor_fma(instruction)
    if "GMMA" in instruction.op:
        return fma / chip.wgmma_fma
    if "TF32" in instruction.op:
        fma *= 2
    return chip.hmma * fma / 2048


def shared_cycles(instruction: Instruction) -> int:
    """Of the multiprocessor's path, 128 bytes a cycle, without bank conflicts."""
    op, base = instruction.op, instruction.base
    if base in ("LDSM", "STSM"):
        return 4 if op.endswith(".4") else 2 if op.endswith(".2") else 1
    if base in ("LDGSTS", "LDS", "STS"):
        return 4 if ".128" in op else 2 if ".64" in op else 1
    return 1
