/* Bytes in memory that ends where they end: one byte further and the program is stopped.
 *
 * By the processor with -DGUARD_PAGES, where the next page may not be touched; by valgrind or
 * AddressSanitizer without, where the block is malloc's. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>
#include <stdint.h>

struct block {
    uint8_t *data;
    size_t len;
    void *mapped;
    size_t mapped_len;
};

/* A block of that many bytes, whatever they are. Begin with a zeroed struct; it may be made anew. */
void block_make(struct block *block, size_t len);

/* A block with a copy of these bytes, which must not be its own. */
void block_copy(struct block *block, const uint8_t *bytes, size_t len);

void block_free(struct block *block);

#endif
