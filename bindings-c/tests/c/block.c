#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_exit(void *memory)
{
    if (memory == NULL) {
        fputs("no memory\n", stderr);
        exit(2);
    }
    return memory;
}

#ifdef GUARD_PAGES

#include <sys/mman.h>
#include <unistd.h>

/* Mappings that no block has at the moment: to make one takes long. */
static struct block spare[8];

static void map(struct block *block, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
        if (spare[i].mapped != NULL && spare[i].mapped_len >= len) {
            *block = spare[i];
            spare[i].mapped = NULL;
            return;
        }
    block->mapped_len = (len / page + 1) * page;
    block->mapped = mmap(NULL, block->mapped_len + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    or_exit(block->mapped == MAP_FAILED ? NULL : block->mapped);
    if (mprotect((uint8_t *)block->mapped + block->mapped_len, page, PROT_NONE) != 0)
        or_exit(NULL);
}

void block_make(struct block *block, size_t len)
{
    if (block->mapped == NULL || len > block->mapped_len) {
        block_free(block);
        map(block, len);
    }
    block->data = (uint8_t *)block->mapped + block->mapped_len - len;
    block->len = len;
}

void block_free(struct block *block)
{
    size_t i = 0;
    while (i < sizeof spare / sizeof *spare && spare[i].mapped != NULL)
        i++;
    if (block->mapped != NULL && i < sizeof spare / sizeof *spare)
        spare[i] = *block;
    else if (block->mapped != NULL)
        munmap(block->mapped, block->mapped_len + (size_t)sysconf(_SC_PAGESIZE));
    memset(block, 0, sizeof *block);
}

#else

void block_make(struct block *block, size_t len)
{
    block_free(block);
    block->mapped = block->data = or_exit(malloc(len));
    block->len = len;
}

void block_free(struct block *block)
{
    free(block->mapped);
    memset(block, 0, sizeof *block);
}

#endif

void block_copy(struct block *block, const uint8_t *bytes, size_t len)
{
    block_make(block, len);
    if (len > 0)
        memcpy(block->data, bytes, len);
}
