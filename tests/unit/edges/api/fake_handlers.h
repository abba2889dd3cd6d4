#ifndef TESTS_API_FAKE_HANDLERS_H
#define TESTS_API_FAKE_HANDLERS_H

/* How many requests have got past the edge since the program started. */
unsigned handlers_reached(void);

/* What the installation calls itself, "remit-one" at first; name is static. */
void handlers_set_installation(const char *name);
const char *handlers_installation(void);

/* So many policies are in force, "org/p00000" on, each forbidding all; lists of objects have
 * them, in pages, and every name shows one.  0, as at first: lists are empty. */
void handlers_set_policies(unsigned count);

/* A backup to the path "late" is answered once its peer has gone; how many were,
 * with what they asked for still readable. */
unsigned handlers_answered_late(void);
/* How many wait for that. */
unsigned handlers_waiting(void);

#endif
