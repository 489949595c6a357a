"""Listings as nvdisasm -hex writes them, with the control codes that a test wants."""

NO_BARRIER = 7


def line(address, text, stall=1, write=NO_BARRIER, read=NO_BARRIER, wait=()):
    """An instruction's two words; all but the control codes are 0."""
    bits = stall | write << 5 | read << 8 | sum(1 << barrier for barrier in wait) << 11
    return (f"        /*{address:04x}*/                   {text} ;    /* 0x{0:016x} */\n"
            f"                                                  /* 0x{bits << 41:016x} */\n")


def listing(*entries):
    """Of labels, "NAME:", and of an instruction's text, or of it and its control codes."""
    text, address = "", 0
    for entry in entries:
        instruction, codes = entry if isinstance(entry, tuple) else (entry, {})
        if instruction.endswith(":"):
            text += f"{instruction}\n"
            continue
        text += line(address, instruction, **codes)
        address += 16
    return text
