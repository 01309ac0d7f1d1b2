# Writes OUT, a header that says what the binary is made of. Run at every build; the file changes, and
# what includes it is compiled again, only when the text does.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 "--exclude=*"
    OUTPUT_VARIABLE found RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed AND found)
    set(commit ${found})
  endif()
endif()
string(REPLACE "\\" "\\\\" FLAGS "${FLAGS}")
string(REPLACE "\"" "\\\"" FLAGS "${FLAGS}")
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [[/* Made by tools/version.cmake. */
#define AGON_VERSION "@VERSION@"
#define AGON_COMMIT "@commit@"
#define AGON_COMPILER "@COMPILER@"
#define AGON_FLAGS "@FLAGS@"
#define AGON_SOURCE "@SOURCE@"
#define AGON_INCLUDE "@INCLUDE@"
#define AGON_LIBRARY "@LIBRARY@"
#define AGON_INIH_VERSION "@INIH@"
#define AGON_OPENBLAS_VERSION "@OPENBLAS@"
]])
