/* The installed header is <isa-l/crc.h>; in the source tree it lies elsewhere. */
#include "../include/crc.h"
