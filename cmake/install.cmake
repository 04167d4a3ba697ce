# What `cmake --install` puts where. The program and the library find kernels, models and modules beside themselves, so the whole
# may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/fusetune)
set(shared_folder ${CMAKE_INSTALL_DATADIR}/fusetune)

set_target_properties(fusetune PROPERTIES INSTALL_RPATH "")
set_target_properties(fusetune_runtime PROPERTIES EXPORT_NAME runtime)
target_include_directories(fusetune_runtime INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(fusetune_runtime INTERFACE cxx_std_17)
add_library(fusetune::runtime ALIAS fusetune_runtime)

install(TARGETS fusetune RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS fusetune_runtime EXPORT fusetuneTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(module fusetune_amd fusetune_nvidia)
  if(TARGET ${module})
    install(TARGETS ${module} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/fusetune OPTIONAL)
  endif()
endforeach()
install(FILES harness/runtime/runtime.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fusetune)

install(DIRECTORY kernels configs DESTINATION ${shared_folder})
# What the engine compiles with every kernel, and its own.
foreach(source harness/device/host/host_shim.h harness/device/host/host_abi.h harness/measure/kernels/calibration.hip
               harness/verify/kernels/digest.hip)
  get_filename_component(folder ${source} DIRECTORY)
  install(FILES ${source} DESTINATION ${shared_folder}/${folder})
endforeach()

install(EXPORT fusetuneTargets NAMESPACE fusetune:: DESTINATION ${package_folder})
configure_package_config_file(cmake/fusetuneConfig.cmake.in ${CMAKE_BINARY_DIR}/fusetuneConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/fusetuneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/fusetuneConfig.cmake ${CMAKE_BINARY_DIR}/fusetuneConfigVersion.cmake
              cmake/fusetune_header.cmake DESTINATION ${package_folder})
