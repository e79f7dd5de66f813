# The optimised program. cmake -C contrib/presets/release.cmake -B build/release
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
# A seventh fewer instructions a message: most functions are small.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON CACHE BOOL "")
set(POSTERN_TESTS OFF CACHE BOOL "")
