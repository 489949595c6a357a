// RUN: sparse-attn-opt %s --sparse-attn-emulate --split-input-file --verify-diagnostics --allow-unregistered-dialect

// What a module of kernels may hold

gpu.module @m {
  // expected-error @below {{'gpu.func' cannot be emulated; lower the kernels to the LLVM and NVVM dialects first}}
  gpu.func @kernel() kernel {
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{kernel 'kernel' takes a value of type '!llvm.struct<(i32)>'; the emulator passes pointers, integers and floats}}
  llvm.func @kernel(%x: !llvm.struct<(i32)>) attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel() attributes {nvvm.kernel} {
    // expected-error @below {{'unknown.op' cannot be emulated; kernels must be in the LLVM and NVVM dialects}}
    "unknown.op"() ({}) : () -> ()
    llvm.return
  }
}

// -----

// Ops

gpu.module @m {
  llvm.func @kernel(%x: i32) attributes {nvvm.kernel} {
    // expected-error @below {{'arith.addi' cannot be emulated; kernels must be in the LLVM and NVVM dialects}}
    %y = arith.addi %x, %x : i32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel() attributes {nvvm.kernel} {
    // expected-error @below {{inline assembly cannot be emulated; emulate before 'convert-nvvm-to-llvm'}}
    llvm.inline_asm "nop;", "" : () -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @outside(f32) -> f32
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{a call of a function without a body cannot be emulated}}
    %y = llvm.call @outside(%x) : (f32) -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%f: !llvm.ptr) attributes {nvvm.kernel} {
    // expected-error @below {{a call of a function without a body cannot be emulated}}
    llvm.call %f() : !llvm.ptr, () -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>, %q: !llvm.ptr<3>, %n: i64) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator cannot check the memory that 'llvm.intr.memcpy' accesses; use loads and stores}}
    "llvm.intr.memcpy"(%q, %p, %n) <{isVolatile = false}> : (!llvm.ptr<3>, !llvm.ptr<1>, i64) -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>, %mask: vector<4xi1>, %other: vector<4xf32>) {
    // expected-error @below {{the emulator cannot check the memory that 'llvm.intr.masked.load' accesses}}
    %x = llvm.intr.masked.load %p, %mask, %other {alignment = 4 : i32} : (!llvm.ptr<1>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
    llvm.return
  }
}

// -----

// NVVM ops

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<3>, %n: i32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.mbarrier.expect_tx' yet}}
    nvvm.mbarrier.expect_tx %p, %n : !llvm.ptr<3>, i32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<3>, %n: i32, %some: i1) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.mbarrier.init' with a predicate}}
    nvvm.mbarrier.init %p, %n, predicate = %some : !llvm.ptr<3>, i32, i1
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<3>) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.mbarrier.arrive' that is relaxed or of a cluster}}
    %state = nvvm.mbarrier.arrive %p {relaxed = true} : !llvm.ptr<3> -> i64
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<3>, %parity: i32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.mbarrier.test.wait' that is relaxed or of a cluster}}
    %done = nvvm.mbarrier.test.wait %p, %parity {scope = #nvvm.mem_scope<cluster>} : !llvm.ptr<3>, i32 -> i1
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: f32, %mask: i32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.redux.sync' of f32}}
    %y = nvvm.redux.sync fmax %x, %mask : f32 -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<3>) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.ldmatrix' of other than 8x8 matrices of b16}}
    %x = nvvm.ldmatrix %p {num = 1 : i32, layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 16, n = 16>, eltType = #nvvm.ld_st_matrix_elt_type<b8>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%h: vector<2xf16>) {
    // expected-error @below {{the emulator does not know 'nvvm.mma.sync' of this shape and type; it knows m16n8k8 and m16n8k16 of f16 and bf16 and m16n8k4 and m16n8k8 of tf32, accumulating in f32}}
    %d = nvvm.mma.sync A[%h, %h, %h, %h] B[%h, %h] C[%h, %h]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (vector<2xf16>, vector<2xf16>, vector<2xf16>) -> !llvm.struct<(vector<2xf16>, vector<2xf16>)>
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.convert.float.to.tf32' other than with rounding 'rna'}}
    %y = nvvm.convert.float.to.tf32 %x {rnd = #nvvm.fp_rnd_mode<rn>}
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.convert.f32x2.to.bf16x2' other than with rounding 'rn'}}
    %y = nvvm.convert.f32x2.to.bf16x2 %x, %x {rnd = #nvvm.fp_rnd_mode<rz>} : vector<2xbf16>
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: i32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know 'nvvm.prmt' in other than its default mode}}
    %y = nvvm.prmt <rc8> %x, %x : i32
    llvm.return
  }
}

// -----

// PTX

gpu.module @m {
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know the PTX "tanh.approx.f32 $0, $1;"; it knows, as in "ex2.approx.f32 $0, $1;" and without predicates, ex2.approx.f32, ex2.approx.ftz.f32, lg2.approx.ftz.f32, rcp.approx.ftz.f32, cvt.rn.f16x2.f32, cvt.rn.bf16x2.f32, cvt.rz.bf16x2.f32, cvt.rna.tf32.f32}}
    %y = nvvm.inline_ptx "tanh.approx.f32 $0, $1;" ro(%x : f32) -> f32
    llvm.return
  }
}

// -----

// Operands in another order are another instruction.

gpu.module @m {
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know the PTX}}
    %y = nvvm.inline_ptx "cvt.rn.f16x2.f32 $0, $2, $1;" ro(%x, %x : f32, f32) -> i32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: f32, %p: i1) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know the PTX}}
    %y = nvvm.inline_ptx "ex2.approx.ftz.f32 $0, $1;" ro(%x : f32), predicate = %p -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel(%x: f32) attributes {nvvm.kernel} {
    // expected-error @below {{the emulator does not know the intrinsic 'llvm.nvvm.sin.approx.f'; it knows llvm.nvvm.cp.async.wait.all, llvm.nvvm.barrier.cta.red.{and,or,popc}.aligned.count, llvm.nvvm.ex2.approx.f32,}}
    %y = llvm.call_intrinsic "llvm.nvvm.sin.approx.f"(%x) : (f32) -> f32
    llvm.return
  }
}

// -----

// Launches

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @host(%p: !llvm.ptr, %c1: index) {
  %token = gpu.wait async
  // expected-error @below {{asynchronous launches cannot be emulated; launch without 'async' and dependencies}}
  gpu.launch_func [%token] @m::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%p : !llvm.ptr)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @host(%p: !llvm.ptr, %c1: index) {
  // expected-error @below {{launches of clusters cannot be emulated}}
  gpu.launch_func @m::@kernel clusters in (%c1, %c1, %c1) blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%p : !llvm.ptr)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @host(%p: !llvm.ptr, %c1: index) {
  // expected-error @below {{launches 'kernel' with 2 arguments; it takes 1}}
  gpu.launch_func @m::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%p : !llvm.ptr, %p : !llvm.ptr)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @host(%p: memref<4xf32>, %c1: index) {
  // expected-error @below {{passes a value of type 'memref<4xf32>' as argument 0 of 'kernel', which takes '!llvm.ptr'}}
  gpu.launch_func @m::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%p : memref<4xf32>)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @kernel() attributes {gpu.kernel} {
    llvm.return
  }
  llvm.func @returns() -> i32 attributes {gpu.kernel}
}
func.func @host(%c1: index) {
  // expected-error @below {{launches @m::@returns, which has no body that could be emulated}}
  gpu.launch_func @m::@returns blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
  return
}
}

// -----

// Names of the runtime

// expected-error @below {{'sparse_attn_emu_launch' is a name for the emulator's runtime, as all are that begin with 'sparse_attn_emu_'; choose another}}
func.func @sparse_attn_emu_launch() {
  return
}
gpu.module @m {
  llvm.func @kernel() attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @kernel() attributes {nvvm.kernel} {
    llvm.return
  }
}
// expected-error @below {{'sparse_attn_emu_operations' is a name for the emulator's runtime}}
llvm.mlir.global external @sparse_attn_emu_operations(1 : i32) : i32
