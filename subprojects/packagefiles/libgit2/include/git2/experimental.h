/* What CMake would make of experimental.h.in; GIT_EXPERIMENTAL_SHA256 is a compiler's option here. */
