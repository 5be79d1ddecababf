/* Every test: `main.c` runs them in this order. */
#ifndef TESTS_H
#define TESTS_H

/* `rounds`: how much to do, for what has no end; valgrind is slow. */
void test_frames(void);
void test_encode(void);
void test_random(unsigned long rounds);
void test_peek(void);
void test_segments(void);
void test_acks(void);
void test_detect(void);
void test_proxy(void);
void test_conversation(void);
void test_tickets(void);
void test_lend(void);
void test_large(void);
void test_initiator(void);
void test_misuse(void);

#endif
