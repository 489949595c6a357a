# sparse_attn_add_library(NAME sources... [IR] [COMPONENT name] [LINK libs...]
#                         [DEPENDS targets...])
#
# A static library of the project, on LLVM's and MLIR's shared libraries; with
# IR, one that knows IR, whose upstream headers are precompiled. Of what is
# installed it belongs to a component that find_package has to be asked for, or,
# without COMPONENT, to what everyone gets.
function(sparse_attn_add_library name)
  cmake_parse_arguments(ARG "IR" "COMPONENT" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(SparseAttn::${name} ALIAS ${name})
  string(JOIN _ libraries SPARSE_ATTN_LIBRARIES ${ARG_COMPONENT})
  set_property(GLOBAL APPEND PROPERTY ${libraries} ${name})
  # Who links it needs no other line: headers, LLVM's among them, and the flag
  # without which classes derived from LLVM's do not link.
  target_include_directories(${name} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>")
  target_include_directories(${name} SYSTEM PUBLIC
    ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PUBLIC -fno-rtti)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_IR)
    sparse_attn_precompile(${name})
  endif()
endfunction()

# sparse_attn_add_tool(NAME sources... [LINK libs...]): a program in bin/.
function(sparse_attn_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  sparse_attn_precompile(${name})
  set_property(GLOBAL APPEND PROPERTY SPARSE_ATTN_TOOL_NAMES ${name})
  # Installed, too, it finds LLVM's libraries where they were linked from.
  set_target_properties(${name} PROPERTIES
    INSTALL_RPATH_USE_LINK_PATH ON
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  add_dependencies(sparse-attn-tools ${name})
endfunction()

# sparse_attn_add_unittest(NAME sources... [IR] [NO_LLVM] [LINK libs...]): a
# GoogleTest program that check-sparse-attn runs.
function(sparse_attn_add_unittest name)
  cmake_parse_arguments(ARG "IR;NO_LLVM" "" "LINK" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/test/Unit")
  if(NOT ARG_NO_LLVM)
    list(APPEND ARG_LINK MLIR LLVM)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest
    GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/unit")
  add_dependencies(sparse-attn-unit-tests ${name})
  if(ARG_IR)
    sparse_attn_precompile(${name})
  endif()
endfunction()
