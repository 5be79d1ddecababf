# find_package(mllp) gives two targets: mllp::mllp, the shared library, and mllp::mllp_static.
#
# Paths are relative to this file, so the prefix may be moved.
get_filename_component(_mllp_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET mllp::mllp)
    add_library(mllp::mllp SHARED IMPORTED)
    set_target_properties(mllp::mllp PROPERTIES
        IMPORTED_LOCATION "${_mllp_prefix}/lib/libmllp${CMAKE_SHARED_LIBRARY_SUFFIX}"
        INTERFACE_INCLUDE_DIRECTORIES "${_mllp_prefix}/include")

    add_library(mllp::mllp_static STATIC IMPORTED)
    set_target_properties(mllp::mllp_static PROPERTIES
        IMPORTED_LOCATION "${_mllp_prefix}/lib/libmllp.a"
        INTERFACE_INCLUDE_DIRECTORIES "${_mllp_prefix}/include")
endif()

unset(_mllp_prefix)
