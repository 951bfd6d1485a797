# tidemark_add_plugin(NAME SOURCES ... [LIBRARIES ...] [OUTPUT_DIRECTORY DIR])
# makes NAME.so, a plugin that exports its entry function only. Its place: OUTPUT_DIRECTORY, else
# TIDEMARK_PLUGIN_OUTPUT_DIRECTORY, else the current binary directory.
# The map stands beside this file where the SDK is installed, one folder up in its sources.
set(TIDEMARK_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
if(NOT EXISTS ${TIDEMARK_PLUGIN_MAP})
  get_filename_component(TIDEMARK_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/../plugin.map ABSOLUTE)
endif()
set(TIDEMARK_PLUGIN_MAP ${TIDEMARK_PLUGIN_MAP} CACHE INTERNAL "What a plugin exports")

function(tidemark_add_plugin name)
  cmake_parse_arguments(arg "" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "tidemark_add_plugin(NAME SOURCES ... [LIBRARIES ...])")
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${TIDEMARK_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  # The file is called like the plugin; the target has a prefix, as names of targets are global.
  set(target tidemark_plugin_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE tidemark::plugin_sdk ${arg_LIBRARIES}
    $<TARGET_NAME_IF_EXISTS:tidemark_options>)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX .so DEFINE_SYMBOL ""
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
    LINK_DEPENDS ${TIDEMARK_PLUGIN_MAP})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_options(${target} PRIVATE -Wl,--version-script=${TIDEMARK_PLUGIN_MAP})
  # A sanitizer's symbols come from the program that loads the plugin.
  if(NOT TIDEMARK_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
