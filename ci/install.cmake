# What `cmake --install` puts where, find_package(netrig CONFIG), and the packages that CPack makes:
# netrig (the program, completion, manual, examples) and netrig-dev (libraries, headers). Included
# by CMakeLists.txt once every target is there; ci/package builds and tries the packages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# ---- libraries: every floor of the house that others may stand on

# netrig::netrig, for code written against SocketApi.
add_library(netrig_worlds INTERFACE)
target_link_libraries(netrig_worlds INTERFACE netrig_fake_world netrig_real)

get_property(floors GLOBAL PROPERTY NETRIG_FLOORS)
list(REMOVE_ITEM floors packetdrill_stack parity)  # of use here alone
foreach(floor ${floors})
  set_target_properties(netrig_${floor} PROPERTIES EXPORT_NAME ${floor})
  install(TARGETS netrig_${floor} EXPORT netrig
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
endforeach()
set_target_properties(netrig_worlds PROPERTIES EXPORT_NAME netrig)
install(TARGETS netrig_worlds EXPORT netrig COMPONENT development)
# CMake strips programs only.
install(CODE "
  if(CMAKE_INSTALL_DO_STRIP)
    file(GLOB archives \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libnetrig_*.a)
    execute_process(COMMAND ${CMAKE_STRIP} --strip-debug --enable-deterministic-archives \${archives}
                    COMMAND_ERROR_IS_FATAL ANY)
  endif()" COMPONENT development)
# A consumer in the same tree (add_subdirectory) says the same names.
add_library(netrig::netrig ALIAS netrig_worlds)
add_library(netrig::posix ALIAS netrig_posix)
if(TARGET netrig_gtest)
  add_library(netrig::gtest ALIAS netrig_gtest)
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/harness ${PROJECT_SOURCE_DIR}/fakes
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/netrig COMPONENT development
        FILES_MATCHING PATTERN "*.h" PATTERN "*_testing.h" EXCLUDE PATTERN "example" EXCLUDE
        PATTERN "packetdrill" EXCLUDE PATTERN "parity" EXCLUDE PATTERN "corpus" EXCLUDE)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/netrig)
install(EXPORT netrig NAMESPACE netrig:: FILE netrig-targets.cmake
        DESTINATION ${config_folder} COMPONENT development)
configure_package_config_file(ci/netrig-config.cmake.in ${PROJECT_BINARY_DIR}/netrig-config.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/netrig-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/netrig-config.cmake
              ${PROJECT_BINARY_DIR}/netrig-config-version.cmake
        DESTINATION ${config_folder} COMPONENT development)

# ---- the program

if(NOT TARGET netrig)
  return()
endif()
install(TARGETS netrig RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(TARGETS netrig_packetdrill
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/netrig COMPONENT program)

# What the program says about itself; nobody writes it twice.
set(made ${PROJECT_BINARY_DIR}/installed)
file(MAKE_DIRECTORY ${made})
function(netrig_output file)
  cmake_path(GET file FILENAME name)
  add_custom_command(OUTPUT ${made}/${name} COMMAND netrig ${ARGN} > ${made}/${name}
                     DEPENDS netrig VERBATIM)
  set_property(GLOBAL APPEND PROPERTY NETRIG_OUTPUTS ${made}/${name})
  cmake_path(GET file PARENT_PATH folder)
  install(FILES ${made}/${name} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/${folder}
          COMPONENT program)
endfunction()
netrig_output(bash-completion/completions/netrig completion bash)
netrig_output(zsh/vendor-completions/_netrig completion zsh)
netrig_output(fish/vendor_completions.d/netrig.fish completion fish)
netrig_output(man/man1/netrig.1 manual)
netrig_output(netrig/scenario-1.json schema)
get_property(outputs GLOBAL PROPERTY NETRIG_OUTPUTS)
add_custom_target(netrig_outputs ALL DEPENDS ${outputs})

set(examples ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/scenarios DESTINATION ${examples} COMPONENT program
        PATTERN "out" EXCLUDE PATTERN ".*" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/ci/github-actions.yml ${PROJECT_SOURCE_DIR}/ci/gitlab-ci.yml
              ${PROJECT_SOURCE_DIR}/ci/problem-matcher.json
        DESTINATION ${examples}/ci COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT program)

# ---- packages

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "netrig")
set(CPACK_PACKAGE_CONTACT "the netrig authors <netrig@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "test harness and simulator for network protocols")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "Plays client/server exchanges written in JSON over TCP, UDP and Unix sockets,
on real sockets or on simulated ones, with a faulty network in between, and
checks what crossed the wire.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME netrig)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "wireshark | tshark")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "The libraries and headers of netrig: simulated hosts for code written against
its socket interface or against plain POSIX, and scenarios as GoogleTest tests.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME netrig-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# What netrig-config.cmake looks for.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libfmt-dev, libboost-context-dev, nlohmann-json3-dev, libpcap-dev, libre2-dev, zlib1g-dev, libssl-dev, libcli11-dev, pkg-config")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libgtest-dev")
include(CPack)
