/* The installed header is <isa-l/igzip_lib.h>; in the source tree it lies elsewhere. */
#include "../include/igzip_lib.h"
