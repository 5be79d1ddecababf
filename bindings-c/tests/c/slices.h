/* Slices in vectors. */
#ifndef SLICES_H
#define SLICES_H

#include <string.h>

#include "mllp.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Bytes that may be absent, which is not the same as empty. */
struct maybe {
    int there;
    mllp_slice_t bytes;
};

static inline int slice_equal(mllp_slice_t slice, mllp_slice_t other)
{
    return slice.len == other.len &&
           (slice.len == 0 || memcmp(slice.data, other.data, slice.len) == 0);
}

#endif
