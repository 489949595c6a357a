# Libraries, tools and headers, those that are generated included, and a package
# for find_package(SparseAttn). Included by projects that are not ours only where
# they ask for it.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(SPARSE_ATTN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/SparseAttn")

# What everyone gets, and what is in a component of its own.
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
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/SparseAttn"
                  "${PROJECT_BINARY_DIR}/include/SparseAttn"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
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
  DESTINATION "${SPARSE_ATTN_CMAKE_DIR}")
