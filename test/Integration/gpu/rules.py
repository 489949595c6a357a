"""What tile each GPU's kernels have for a head, of a dense mask at lengths that are not
known: the rules of lib/Target/Gpu.cpp, cut where shared memory is too small."""

_SHORT = {"f32": {96: (64, 32), 224: (64, 16), 256: (32, 16)}}
_LONG = {"f32": {96: (64, 32), 256: (64, 16)}}
_99_KIB = {"bf16": {128: (128, 64), 312: (64, 32), 448: (64, 16), 576: (32, 16)}} | _SHORT
_AMPERE = {
    "bf16": {
        80: (128, 64), 128: (128, 48), 192: (128, 48), 256: (128, 32), 552: (64, 32),
        576: (64, 16),
    }
} | _LONG  # fmt: skip
_HOPPER = {
    "bf16": {
        80: (128, 64), 128: (128, 32), 192: (128, 48), 256: (128, 32), 544: (128, 32),
        576: (128, 16),
    }
} | _LONG  # fmt: skip
_BLACKWELL = {"bf16": {128: (128, 64), 576: (64, 32)}} | _LONG

# By chip and type: the largest head that a tile of (queries, keys) is for. Those of f16 are
# those of bf16. Heads are multiples of 8, and those beyond the last are refused.
TILES = {
    "sm_80": _AMPERE, "sm_86": _99_KIB, "sm_89": _99_KIB, "sm_90": _HOPPER,
    "sm_90a": _HOPPER, "sm_100": _BLACKWELL, "sm_100a": _BLACKWELL, "sm_120": _99_KIB,
    "sm_120a": _99_KIB,
}  # fmt: skip


def shortest_heads():
    """(chip, type, head) of each row, with the shortest head that it is for and, for each
    row, the first chip that has it."""
    seen = set()
    for chip, types in TILES.items():
        if id(types) in seen:
            continue
        seen.add(id(types))
        for dtype, rows in types.items():
            for shorter in (0, *rows)[:-1]:
                yield chip, dtype, shorter + 8
