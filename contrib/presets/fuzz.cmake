# The fuzzers: clang's libFuzzer with both sanitizers.
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g" CACHE STRING "")
set(POSTERN_SANITIZE "address,undefined" CACHE STRING "")
set(POSTERN_FUZZ ON CACHE BOOL "")
