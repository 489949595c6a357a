# Libraries, tools and headers, those that are generated included, and a package
# for find_package(SparseAttn). Included by projects that are not ours only where
# they ask for it.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(SPARSE_ATTN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/SparseAttn")

# The runtime library for programs that call packages, which need no more: a
# component of find_package, and of `cmake --install --component`.
set(SPARSE_ATTN_PKGCONFIG_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
get_property(libraries GLOBAL PROPERTY SPARSE_ATTN_LIBRARIES_Runtime)
install(TARGETS ${libraries} EXPORT SparseAttnRuntimeTargets COMPONENT Runtime
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  NAMELINK_COMPONENT Runtime
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT SparseAttnRuntimeTargets NAMESPACE SparseAttn::
  DESTINATION "${SPARSE_ATTN_CMAKE_DIR}" COMPONENT Runtime)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/SparseAttn/Runtime"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/SparseAttn" COMPONENT Runtime)
file(RELATIVE_PATH prefix
  "${CMAKE_INSTALL_PREFIX}/${SPARSE_ATTN_PKGCONFIG_DIR}"
  "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" prefix "${prefix}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/sparse-attn-runtime.pc.in"
  "${PROJECT_BINARY_DIR}/sparse-attn-runtime.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/sparse-attn-runtime.pc"
  DESTINATION "${SPARSE_ATTN_PKGCONFIG_DIR}" COMPONENT Runtime)

# What every compiler gets, and what is in a component of its own.
foreach(component "" Emulator)
  string(JOIN _ property SPARSE_ATTN_LIBRARIES ${component})
  get_property(libraries GLOBAL PROPERTY ${property})
  if(libraries)
    install(TARGETS ${libraries} EXPORT SparseAttn${component}Targets
      ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
      INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT SparseAttn${component}Targets NAMESPACE SparseAttn::
      DESTINATION "${SPARSE_ATTN_CMAKE_DIR}")
  endif()
endforeach()
get_property(tools GLOBAL PROPERTY SPARSE_ATTN_TOOL_NAMES)
if(tools)
  install(TARGETS ${tools} DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
get_property(plugins GLOBAL PROPERTY SPARSE_ATTN_PLUGINS)
if(plugins)
  install(TARGETS ${plugins} DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/SparseAttn-c"
                  "${PROJECT_SOURCE_DIR}/include/SparseAttn"
                  "${PROJECT_BINARY_DIR}/include/SparseAttn"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
  PATTERN "Runtime" EXCLUDE
  PATTERN "CMakeFiles" EXCLUDE)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/SparseAttnConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/SparseAttnConfig.cmake"
  INSTALL_DESTINATION "${SPARSE_ATTN_CMAKE_DIR}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/SparseAttnConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/SparseAttnConfig.cmake"
              "${PROJECT_BINARY_DIR}/SparseAttnConfigVersion.cmake"
  DESTINATION "${SPARSE_ATTN_CMAKE_DIR}" COMPONENT Runtime)
