# The games that have a device twin: all of games/. Sets AGON_TWINS, their names, and for each of
# them AGON_TWIN_NAME, the definitions with which a file over cuda/twin_kernel.h is compiled. Writes
# agon_twins.h into AGON_TWINS_DIR: AGON_TWINS(X) is X of every name.
file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/games/*.c)
set(AGON_TWINS)
set(xs)
foreach(file ${files})
  file(STRINGS ${file} lines REGEX "^const agon_game agon_game_[a-z0-9_]+ = {$")
  if(NOT lines)
    continue()
  endif()
  get_filename_component(name ${file} NAME_WE)
  file(STRINGS ${file} chance REGEX "^ *\\.chance = ")
  if(chance)
    set(chance 1)
  else()
    set(chance 0)
  endif()
  list(APPEND AGON_TWINS ${name})
  string(APPEND xs " X(${name})")
  set(AGON_TWIN_${name} AGON_TWIN=${name} "AGON_TWIN_FILE=\"games/${name}.c\""
    AGON_TWIN_CHANCE=${chance})
  # A game that changes is configured anew: its chance may come or go.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endforeach()
set(AGON_TWINS_DIR ${CMAKE_BINARY_DIR}/twins)
file(CONFIGURE OUTPUT ${AGON_TWINS_DIR}/agon_twins.h CONTENT "#define AGON_TWINS(X)${xs}\n")
