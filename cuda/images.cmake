# The images: cuda/kernels.cu, and cuda/twin.cu once for each game of AGON_TWINS, compiled by nvcc and
# put into the program by images.c. Without nvcc the program has their names alone.
option(AGON_CUDA "Compile kernels for GPUs, where nvcc of CUDA 12 or later is found" ON)
set(AGON_CUDA_ARCHITECTURES "75-virtual;80;86-real;89-real;90a-real" CACHE STRING
  "GPUs that kernels are compiled for: N-real is a cubin of sm_N, N-virtual PTX of compute_N, N both")

include(cuda/twins.cmake)
set(AGON_IMAGES kernels ${AGON_TWINS})
set(IMAGES ${CMAKE_BINARY_DIR}/cuda)

# nvcc is a full path or empty; version is "13.0".
function(find_nvcc nvcc version)
  set(${nvcc} "" PARENT_SCOPE)
  find_program(AGON_NVCC nvcc HINTS ENV CUDACXX PATHS /usr/local/cuda/bin)
  if(NOT AGON_CUDA OR NOT AGON_NVCC)
    return()
  endif()
  execute_process(COMMAND ${AGON_NVCC} --version OUTPUT_VARIABLE said ERROR_QUIET)
  if(NOT said MATCHES "release ([0-9]+\\.[0-9]+)")
    message(WARNING "${AGON_NVCC} does not tell its version: built without kernels for GPUs")
  elseif(CMAKE_MATCH_1 VERSION_LESS 12)
    message(WARNING "${AGON_NVCC} is of CUDA ${CMAKE_MATCH_1}, needed is 12: built without kernels for GPUs")
  else()
    set(${nvcc} ${AGON_NVCC} PARENT_SCOPE)
    set(${version} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
endfunction()

# The words of nvcc for AGON_CUDA_ARCHITECTURES; those that this nvcc does not have are left out.
function(find_architectures nvcc words taken)
  execute_process(COMMAND ${nvcc} --list-gpu-code OUTPUT_VARIABLE codes ERROR_QUIET)
  execute_process(COMMAND ${nvcc} --list-gpu-arch OUTPUT_VARIABLE archs ERROR_QUIET)
  foreach(item ${AGON_CUDA_ARCHITECTURES})
    if(NOT item MATCHES "^([0-9]+)([af]?)(-real|-virtual)?$")
      message(FATAL_ERROR "AGON_CUDA_ARCHITECTURES: '${item}' is not N, N-real or N-virtual, as in 90a-real")
    endif()
    set(number ${CMAKE_MATCH_1})
    set(full ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
    set(real sm_${full})
    set(virtual compute_${full})
    string(REGEX MATCH "(^|\n)compute_${number}\n" known "${archs}\n")
    if(NOT known)
      message(STATUS "nvcc cannot compile for ${item}: left out")
      continue()
    elseif(item MATCHES "-real$")
      set(code ${real})
    elseif(item MATCHES "-virtual$")
      set(code ${virtual})
    else()
      set(code [${real},${virtual}])
    endif()
    list(APPEND made -gencode arch=${virtual},code=${code})
    list(APPEND names ${item})
  endforeach()
  list(JOIN names " " names)
  set(${words} ${made} PARENT_SCOPE)
  set(${taken} ${names} PARENT_SCOPE)
endfunction()

# One image: a job of its own, so that they are made side by side, and again only for a change of its
# source or of what that includes.
function(add_image name source)
  add_custom_command(OUTPUT ${IMAGES}/${name}.fatbin
    COMMAND ${NVCC} -std=c++20 -fmad=false -Werror all-warnings -Xfatbin -compress-all -I${CMAKE_SOURCE_DIR}
      ${ARCHITECTURES} ${ARGN} -MD -MF ${name}.d -MT ${IMAGES}/${name}.fatbin --fatbin ${CMAKE_SOURCE_DIR}/${source}
      -o ${name}.fatbin
    WORKING_DIRECTORY ${IMAGES} MAIN_DEPENDENCY ${CMAKE_SOURCE_DIR}/${source} DEPFILE ${IMAGES}/${name}.d
    COMMENT "Compiling ${source} for GPUs: ${name}" VERBATIM)
endfunction()

find_nvcc(NVCC NVCC_VERSION)
if(NVCC)
  find_architectures(${NVCC} ARCHITECTURES TAKEN)
  if(NOT ARCHITECTURES)
    message(WARNING "${NVCC} compiles for none of AGON_CUDA_ARCHITECTURES=${AGON_CUDA_ARCHITECTURES}: "
      "built without kernels for GPUs")
    set(NVCC "")
  endif()
endif()
list(TRANSFORM AGON_IMAGES REPLACE "(.+)" "X(\\1)" OUTPUT_VARIABLE ROWS)
list(JOIN ROWS " " ROWS)
set(TEXT "#define AGON_IMAGES(X) ${ROWS}\n")
if(NVCC)
  string(APPEND TEXT "#define AGON_IMAGES_NVCC \"${NVCC_VERSION}\"\n"
    "#define AGON_IMAGES_ARCHITECTURES \"${TAKEN}\"\n#define AGON_IMAGES_DIR \"${IMAGES}\"\n")
  add_image(kernels cuda/kernels.cu --threads 4) # the longest: architectures side by side
  foreach(game ${AGON_TWINS})
    list(TRANSFORM AGON_TWIN_${game} PREPEND -D OUTPUT_VARIABLE definitions)
    add_image(${game} cuda/twin.cu ${definitions})
  endforeach()
  list(TRANSFORM AGON_IMAGES REPLACE "(.+)" "${IMAGES}/\\1.fatbin" OUTPUT_VARIABLE FATBINS)
  set_property(SOURCE cuda/images.c PROPERTY OBJECT_DEPENDS ${FATBINS})
  # A target of its own, so that they need not wait for the libraries below.
  add_custom_target(agon_images DEPENDS ${FATBINS})
  add_dependencies(agon_cuda agon_images)
  message(STATUS "Kernels for GPUs: nvcc ${NVCC_VERSION}, ${TAKEN}")
else()
  message(STATUS "Kernels for GPUs: none, without nvcc")
endif()
file(CONFIGURE OUTPUT ${IMAGES}/agon_images.h CONTENT "${TEXT}" @ONLY)
set_property(SOURCE cuda/images.c PROPERTY INCLUDE_DIRECTORIES ${IMAGES})
