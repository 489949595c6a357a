# sparse_attn_precompile(TARGET): compiles the target's sources on top of a
# precompiled header of LLVM's and MLIR's headers, which otherwise are nine tenths
# of what a compiler does here. Sources still include what they use: they must
# compile without it as well.
#
# The header is an object library of upstream's files alone, so that no path of
# this project is in it: ccache finds it, and what was compiled on top of it,
# again from any folder. CMake's own precompiled headers name their build folder.

option(SPARSE_ATTN_PRECOMPILED "Precompile upstream's headers; Clang only"
       ${PROJECT_IS_TOP_LEVEL})

# Those that many sources include, and those that take long to parse.
set(sparse_attn_precompiled_headers
  llvm/ADT/STLExtras.h
  llvm/ADT/StringExtras.h
  llvm/ADT/TypeSwitch.h
  llvm/Support/FormatVariadic.h
  llvm/Support/raw_ostream.h
  mlir/Dialect/Affine/IR/AffineOps.h
  mlir/Dialect/Arith/IR/Arith.h
  mlir/Dialect/Func/IR/FuncOps.h
  mlir/Dialect/GPU/IR/GPUDialect.h
  mlir/Dialect/LLVMIR/LLVMDialect.h
  mlir/Dialect/LLVMIR/NVVMDialect.h
  mlir/Dialect/Linalg/IR/Linalg.h
  mlir/Dialect/Math/IR/Math.h
  mlir/Dialect/MemRef/IR/MemRef.h
  mlir/Dialect/SCF/IR/SCF.h
  mlir/Dialect/Tensor/IR/Tensor.h
  mlir/Dialect/Utils/StaticValueUtils.h
  mlir/Dialect/Vector/IR/VectorOps.h
  mlir/IR/Matchers.h
  mlir/Parser/Parser.h
  mlir/Pass/PassManager.h
  mlir/Transforms/DialectConversion.h)
# The file that is compiled; the others are included before it.
set(sparse_attn_precompiled_main
  "${MLIR_INCLUDE_DIRS}/mlir/Transforms/GreedyPatternRewriteDriver.h")

if(SPARSE_ATTN_PRECOMPILED AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_library(SparseAttnPrecompiled OBJECT "${sparse_attn_precompiled_main}")
  set_source_files_properties("${sparse_attn_precompiled_main}" PROPERTIES
    LANGUAGE CXX)
  list(TRANSFORM sparse_attn_precompiled_headers PREPEND "SHELL:-include "
       OUTPUT_VARIABLE includes)
  target_compile_options(SparseAttnPrecompiled PRIVATE
    ${includes} "SHELL:-x c++-header" "SHELL:-Xclang -emit-pch"
    "SHELL:-Xclang -fno-pch-timestamp" -fpch-instantiate-templates)
  set_target_properties(SparseAttnPrecompiled PROPERTIES
    INCLUDE_DIRECTORIES "${LLVM_INCLUDE_DIRS};${MLIR_INCLUDE_DIRS}")

  # An object library's objects need not be there when who depends on it is
  # compiled, but what custom commands make must be.
  set(sparse_attn_precompiled_header "${PROJECT_BINARY_DIR}/upstream.pch")
  add_custom_command(OUTPUT "${sparse_attn_precompiled_header}"
    COMMAND "${CMAKE_COMMAND}" -E create_symlink
            $<TARGET_OBJECTS:SparseAttnPrecompiled>
            "${sparse_attn_precompiled_header}"
    DEPENDS $<TARGET_OBJECTS:SparseAttnPrecompiled>
    VERBATIM)
  add_custom_target(sparse-attn-precompiled
    DEPENDS "${sparse_attn_precompiled_header}")
endif()

function(sparse_attn_precompile name)
  if(TARGET SparseAttnPrecompiled)
    add_dependencies(${name} sparse-attn-precompiled)
    # Programs are position-independent as libraries are, or the header would
    # not be for them.
    target_compile_options(${name} PRIVATE -fPIC
      "SHELL:-Xclang -include-pch -Xclang ${PROJECT_BINARY_DIR}/upstream.pch")
  endif()
endfunction()
