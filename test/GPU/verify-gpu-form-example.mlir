// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form --verify-diagnostics

func.func @transposed(%q: memref<64x32xbf16>, %o: memref<32x64xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  scf.forall (%head) in (12) {
    %tile = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]} : memref<64x32xbf16>, vector<64x32xbf16>
    // expected-error@below {{moves the elements of a whole tile, which threads would have to exchange; only a value that is one along rows or one along columns can be transposed}}
    %t = vector.transpose %tile, [1, 0] : vector<64x32xbf16> to vector<32x64xbf16>
    vector.transfer_write %t, %o[%c0, %c0] {in_bounds = [true, true]} : vector<32x64xbf16>, memref<32x64xbf16>
  }
  return
}
