#ifndef TESTS_API_FAKE_HANDLERS_H
#define TESTS_API_FAKE_HANDLERS_H

/* How many requests have got past the edge since the program started. */
unsigned handlers_reached(void);

#endif
