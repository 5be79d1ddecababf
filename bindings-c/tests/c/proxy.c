/* vectors/proxy.json: every beginning of each stream. */
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "check.h"
#include "mllp.h"
#include "tests.h"

struct proxy_address {
    mllp_slice_t ip;
    uint16_t port;
};

struct proxy_vector {
    const char *id;
    mllp_slice_t bytes;
    size_t known_at;
    const char *status;
    size_t len;
    mllp_proxy_origin_t origin;
    struct proxy_address source, destination;
};

#include "proxy.vectors.h"

static void check_address(const mllp_proxy_address_t *address, const struct proxy_address *expected)
{
    size_t len = address->ip_version == 4 ? 4 : address->ip_version == 6 ? 16 : 0;
    CHECK(len == expected->ip.len);
    CHECK(len == 0 || memcmp(address->ip, expected->ip.data, len) == 0);
    CHECK(address->port == expected->port);
}

static void check_beginning(const struct proxy_vector *vector, const uint8_t *bytes, size_t len)
{
    mllp_proxy_header_t header;
    mllp_status_t status;
    mark_untouched(&header, sizeof header);
    status = mllp_proxy_header_parse(bytes, len, &header);
    if (len < vector->known_at) {
        CHECK(status == MLLP_PARTIAL);
        CHECK(is_untouched(&header, sizeof header));
        return;
    }
    CHECK(strcmp(mllp_status_name(status), vector->status) == 0);
    if (status != MLLP_OK) {
        CHECK(is_untouched(&header, sizeof header));
        return;
    }
    CHECK(header.len == vector->len);
    CHECK(header.origin == vector->origin);
    check_address(&header.source, &vector->source);
    check_address(&header.destination, &vector->destination);
}

void test_proxy(void)
{
    size_t count = sizeof proxy_vectors / sizeof *proxy_vectors;
    struct block bytes = {0};
    for (size_t i = 0; i < count; i++) {
        const struct proxy_vector *vector = &proxy_vectors[i];
        memset(&subject, 0, sizeof subject);
        subject.name = vector->id;
        for (size_t len = 0; len <= vector->bytes.len; len++) {
            subject.numbers[0] = len;
            block_copy(&bytes, vector->bytes.data, len);
            check_beginning(vector, bytes.data, len);
        }
    }
    block_free(&bytes);
    printf("proxy: %zu beginnings\n", count);
}
