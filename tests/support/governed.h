#ifndef TESTS_SUPPORT_GOVERNED_H
#define TESTS_SUPPORT_GOVERNED_H

#include "services/registry/registrar.h"
#include "support/fake_log.h"

/* A registry with its fold and registrar over a log in memory or any other, and the
 * verbs of people as one-line calls.  Every call asserts that the table is whole. */

/* A log to be governed on. */
struct governed_log {
	void *context;
	struct fold_log port;
	struct loop *loop; /* NULL: done functions run as the log likes */
	/* Makes durable what was submitted, if it can be, and runs what is done. */
	void (*settle)(void *context);
};

struct governed {
	struct arena *arena;
	struct fake_log log; /* unless it is on another */
	struct governed_log on;
	struct registry *registry;
	struct fold *fold;
	struct registrar *registrar;
	struct registrar_request last; /* of the last call, with its answer */
	char code[CODE_TEXT_BYTES];    /* the last issued */
	unsigned keys_made;
};

/* On that log; loading goes on until the caller calls fold_finish_loading. */
void governed_init_on(struct governed *governed, const struct governed_log *on);
void governed_deinit_on(struct governed *governed);
/* The first administrator, adi, enrols. */
void governed_found(struct governed *governed);

/* Ready to change: loading is over. */
void governed_init(struct governed *governed);
/* The same, and adi has enrolled as the first administrator. */
void governed_init_with_administrator(struct governed *governed);
void governed_deinit(struct governed *governed);
/* Loading goes on until the caller calls fold_finish_loading. */
void governed_init_loading(struct governed *governed);
/* The other starts anew from the log, as after a kill -9 with the store lost. */
void governed_restart(const struct governed *governed, struct governed *other);

/* Submits and waits for the answer; true if the answer has no error. */
bool governed_run(struct governed *governed, struct registrar_request request);
/* Applies one YAML text as the person. */
bool governed_apply(struct governed *governed, const char *person, const char *yaml);
/* The same, and eva approves what waits of guardrails and applications. */
bool governed_apply_by_two(struct governed *governed, const char *person, const char *yaml);
/* One step of an identity (or, with kind, of another entry). */
bool governed_step(
	struct governed *governed, const char *person, enum registrar_verb verb, const char *name);
bool governed_step_of(struct governed *governed, const char *person, enum registrar_verb verb,
	enum object_kind kind, const char *name);
/* A public key that nobody has yet. */
struct json governed_key(struct governed *governed);
/* Gives the person a key by a code an administrator issued. */
bool governed_enrol(struct governed *governed, const char *administrator, const char *person);
/* The same with the key that people_sign signs with. */
bool governed_enrol_signing(
	struct governed *governed, const char *administrator, const char *person);

/* Everything the registry holds as canonical text, for comparison. */
struct text governed_dump(const struct governed *governed, struct arena *arena);

/* Units, people, a server, tools, data and an identity a1 of ana and bo; the
 * text is one folder's worth. */
extern const char governed_world_yaml[];

#endif
