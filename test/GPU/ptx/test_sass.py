# RUN: %pytest %s
"""Loops of kernels as nvdisasm prints them, with each form of a conditional branch."""

import pytest
import sass

LOOP = """
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/                   {leave} `(.L_x_2) ;
        /*0020*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0030*/                   LDL R3, [R1] ;
        /*0040*/                   BRA `(.L_x_1) ;
.L_x_2:
        /*0050*/                   EXIT ;
"""


@pytest.mark.parametrize("leave", ["@P0 BRA", "@!UP1 BRA", "BRA !P0,", "BRA.U UP1,", "BRA.U !UP1,"])
def test_what_follows_a_conditional_branch_is_in_the_loop(leave):
    assert sass.loops(LOOP.format(leave=leave).splitlines()) == [[4, 1, 1, 0]]
