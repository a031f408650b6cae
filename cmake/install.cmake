include(CMakePackageConfigHelpers)

set(larder_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/larder")
get_property(larder_targets GLOBAL PROPERTY LARDER_INSTALL_TARGETS)
get_property(larder_packages GLOBAL PROPERTY LARDER_PACKAGES)
list(REMOVE_DUPLICATES larder_packages)
set(larder_find_dependencies "")
foreach(package IN LISTS larder_packages)
  string(APPEND larder_find_dependencies "find_dependency(${package})\n")
endforeach()

install(TARGETS larder ${larder_targets} EXPORT larder_targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT larder_targets NAMESPACE larder:: FILE larder-targets.cmake DESTINATION "${larder_config_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/larder" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")
if(TARGET larder_command)
  install(TARGETS larder_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/larder-config.cmake.in"
                              "${PROJECT_BINARY_DIR}/larder-config.cmake"
                              INSTALL_DESTINATION "${larder_config_dir}" PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/larder-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/larder-config.cmake" "${PROJECT_BINARY_DIR}/larder-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindXXHash.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindSLEEF.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindRE2.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/larder_generate_header.cmake"
        DESTINATION "${larder_config_dir}")
