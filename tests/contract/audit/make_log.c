/* usage: make_log FOLDER: writes a log of some 600 entries into an empty folder, as
 * the daemon would, and with it audit.vkey.  For verifiers that are not ours. */
#include <stdio.h>
#include <stdlib.h>

#include "audit_support.h"
#include "edges/audit_files/audit_files.h"
#include "services/record/record_private.h"

enum { ENTRIES = 600 };

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "make_log: %s\n", err->text);
	exit(2);
}

static void nothing(struct record_append *append)
{
	(void)append;
}

int main(int argc, char **argv)
{
	struct record_log_options options = {
		.version = TEXT("outsider"), .segment_bytes = 256 * 1024};
	struct audit_files *files;
	struct test_signer signer;
	struct record_log *log;
	struct buffer entry;
	struct error err = {0};

	if (argc != 2)
		return 2;
	test_signer_init(&signer, "remit.test/audit");
	must(audit_files_open(&files, argv[1], &err), &err);
	options.disk = audit_files_disk(files);
	options.signer = &signer.port;
	must(record_log_open_stepped(&log, &options, &err), &err);
	buffer_init(&entry, 4096);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct record_append append = {.done = nothing};

		buffer_reset(&entry);
		test_entry_format(&entry, record_stamp_utc_ms(log), i, 100 + i % 300, NULL);
		append.entry = buffer_text(&entry);
		must(record_submit(log, &append, &err), &err);
		(void)record_step(log); /* answers it, so the next may use the same buffer */
	}
	must(record_publish(log, &err), &err);
	buffer_deinit(&entry);
	record_log_close(&log);
	audit_files_close(&files);
	test_signer_deinit(&signer);
	return 0;
}
