/* Prints what stands at each path of a message, as it stands there.
 *
 *     peek FILE PATH...
 *
 * Exit status: 0 shown, 1 no message, 2 wrong usage. The same program: ../rust/src/bin/peek.rs,
 * ../python/peek.py. */
#include <mllp.h>

#include <stdio.h>
#include <string.h>

static uint8_t payload[16 * 1024 * 1024];

int main(int argc, char **argv) {
    mllp_message_t message;
    mllp_status_t status;
    size_t len;
    FILE *file;

    if (argc < 3) {
        fprintf(stderr, "usage: peek FILE PATH...\n");
        return 2;
    }
    file = fopen(argv[1], "rb");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    len = fread(payload, 1, sizeof payload, file);
    if (len == sizeof payload || ferror(file)) {
        fprintf(stderr, "%s: cannot be read, or has 16 MiB or more\n", argv[1]);
        return 1;
    }
    fclose(file);

    status = mllp_message_parse(payload, len, &message);
    if (status != MLLP_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], mllp_status_name(status));
        return 1;
    }
    for (int at = 2; at < argc; at++) {
        mllp_path_t path;
        mllp_slice_t value;
        status = mllp_path_parse((const uint8_t *)argv[at], strlen(argv[at]), &path);
        if (status == MLLP_OK)
            status = mllp_message_get(&message, &path, &value);
        if (status < 0) {
            fprintf(stderr, "%s: %s\n", argv[at], mllp_status_name(status));
            return 1;
        }
        printf("%s\t", argv[at]);
        if (status == MLLP_NOT_FOUND)
            printf("(absent)");
        else
            fwrite(value.data, 1, value.len, stdout);
        printf("\n");
    }
    return 0;
}
