/* Runs every test: mllp-tests [rounds]. Ends with 0 when every check held. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "tests.h"

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    test_frames();
    test_encode();
    test_random(rounds);
    test_peek();
    test_segments();
    test_acks();
    test_detect();
    test_proxy();
    test_conversation();
    test_tickets();
    test_lend();
    test_large();
    test_initiator();
    test_misuse();
    printf("%lu checks, %lu failed\n", checks_done, checks_failed);
    return checks_failed > 0;
}
