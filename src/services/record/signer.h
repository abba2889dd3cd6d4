#ifndef SERVICES_RECORD_SIGNER_H
#define SERVICES_RECORD_SIGNER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/note.h"

/* The port to whoever holds the log's signing key (edges/signer).  Called by
 * the log's writer thread, and by the thread that opens the log. */
struct checkpoint_signer {
	void *context;

	/* The key checkpoints are signed with; its name is the log's origin.  Lives
	 * as long as the signer. */
	const struct note_key *key;

	/* The last head it signed, from its own durable store; size 0 if none. */
	bool (*last)(void *context, struct tree_head *out, struct error *err);

	/* Signs newer if it is not smaller than the last head and proof (as of
	 * checkpoint_extends) shows that it extends it, and makes newer the last
	 * head, durably, before it answers.  Appends the whole signed note to
	 * out_note.  Errors: CONFLICT (does not extend: never sign a fork), IO. */
	bool (*sign)(void *context, const struct tree_head *newer, const struct merkle_proof *proof,
		struct buffer *out_note, struct error *err);
};

#endif
