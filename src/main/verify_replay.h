#ifndef MAIN_VERIFY_REPLAY_H
#define MAIN_VERIFY_REPLAY_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "domain/audit/verify.h"

/* `remit-verify --replay`: makes each decision of a log again, from its recorded inputs
 * and the registry that the same log holds, while the log is checked. */
struct verify_replay;

/* keys: a copy of the folder DIR/keys (master.key and contents); NULL: none, so that
 * no sealed argument can be opened.  Errors: NOT_FOUND, INVALID (master.key is no key,
 * or others may read it), LIMIT, IO. */
bool verify_replay_open(struct verify_replay **out, const char *keys, struct error *err) MUST_CHECK;
/* Clears the keys.  *replay may be NULL. */
void verify_replay_close(struct verify_replay **replay);
/* For audit_verify; lives as long. */
const struct audit_visitor *verify_replay_visitor(const struct verify_replay *replay);

/* What came of it.  ALL: every decision was made again, and is as recorded.  SOME: none
 * differs, but not all could be made again.  DIFFERS: one is not as recorded, or a
 * record cannot be what made the registry. */
enum verify_replayed { VERIFY_REPLAYED_SOME = 0, VERIFY_REPLAYED_ALL, VERIFY_REPLAYED_DIFFERS };
/* Has the lines below say what is in force of the identity at the end of the log; the name is
 * borrowed. */
void verify_replay_ask_charter(struct verify_replay *replay, const char *identity);
enum verify_replayed verify_replay_result(const struct verify_replay *replay);

/* Lines for people. */
void verify_replay_append(struct buffer *out, const struct verify_replay *replay);
/* One JSON object: {"result", ...} and what replay_report says. */
void verify_replay_append_json(struct buffer *out, const struct verify_replay *replay);

#endif
