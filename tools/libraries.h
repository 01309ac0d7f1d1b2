/* libraries.h: which libraries this binary runs with. The .c file is the one place of tools/ that
 * includes their headers just to ask for versions. */
#ifndef AGON_LIBRARIES_H
#define AGON_LIBRARIES_H

#include <stddef.h>

/* Name of library `index`, in alphabetical order, and its version as found at run time where the
 * library can be asked, else as compiled. Returns NULL beyond the last. */
const char* agon_library_at(int index, char* version, size_t size);

#endif
