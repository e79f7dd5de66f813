# Address and undefined-behaviour sanitizers, with the tests.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g" CACHE STRING "")
set(POSTERN_SANITIZE "address,undefined" CACHE STRING "")
