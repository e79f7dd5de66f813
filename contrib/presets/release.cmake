# The optimised program. cmake -C contrib/presets/release.cmake -B build/release
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(POSTERN_TESTS OFF CACHE BOOL "")
