// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx="chip=sm_90 features=+ptx86" -o - | sed 's/\\0A/\n/g' | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx="chip=sm_100 features=+ptx86" -o - | sed 's/\\0A/\n/g' | FileCheck %s --check-prefix=FEW
// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx="chip=sm_120 features=+ptx87" -o - | sed 's/\\0A/\n/g' | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx="chip=sm_103 features=+ptx88" -o - | sed 's/\\0A/\n/g' | FileCheck %s --check-prefix=UNKNOWN

// Numbers that a loop carries are pairs where the target has use for so many of
// them, and where no target has the name of the chip.

gpu.module @f_kernels attributes {sparse_attn.kernels} {
  llvm.func @few(%a: !llvm.ptr<1>, %n: i32) attributes {gpu.kernel, nvvm.kernel} {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %start = llvm.load %a : !llvm.ptr<1> -> vector<128xf32>
    llvm.br ^loop(%zero, %start : i32, vector<128xf32>)
  ^loop(%i: i32, %x: vector<128xf32>):
    %square = llvm.fmul %x, %x : vector<128xf32>
    %next = llvm.add %i, %one : i32
    %more = llvm.icmp "slt" %next, %n : i32
    llvm.cond_br %more, ^loop(%next, %square : i32, vector<128xf32>), ^end
  ^end:
    llvm.store %square, %a : vector<128xf32>, !llvm.ptr<1>
    llvm.return
  }

  llvm.func @many(%a: !llvm.ptr<1>, %n: i32) attributes {gpu.kernel, nvvm.kernel} {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %start = llvm.load %a : !llvm.ptr<1> -> vector<128xf32>
    %sum = llvm.mlir.constant(1.0 : f32) : f32
    llvm.br ^loop(%zero, %start, %sum : i32, vector<128xf32>, f32)
  ^loop(%i: i32, %x: vector<128xf32>, %s: f32):
    %square = llvm.fmul %x, %x : vector<128xf32>
    %first = llvm.extractelement %square[%zero : i32] : vector<128xf32>
    %t = llvm.fadd %s, %first : f32
    %next = llvm.add %i, %one : i32
    %more = llvm.icmp "slt" %next, %n : i32
    llvm.cond_br %more, ^loop(%next, %square, %t : i32, vector<128xf32>, f32), ^end
  ^end:
    llvm.store %square, %a : vector<128xf32>, !llvm.ptr<1>
    llvm.store %t, %a : f32, !llvm.ptr<1>
    llvm.return
  }
}

// NONE: .entry few
// NONE-NOT: f32x2
// NONE: .entry many
// NONE-NOT: f32x2

// FEW: .entry few
// FEW: mul{{.*}}.f32x2
// FEW: .entry many
// FEW-NOT: f32x2

// UNKNOWN: .entry few
// UNKNOWN: mul{{.*}}.f32x2
// UNKNOWN: .entry many
// UNKNOWN: mul{{.*}}.f32x2
