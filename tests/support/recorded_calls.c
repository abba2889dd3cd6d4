#include "support/recorded_calls.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", err->text);
	abort();
}

struct writing {
	struct recorded_calls *calls;
	struct json_builder changes;
	uint64_t after;
};

static bool write_entry(void *context, const struct registry_entry *entry)
{
	struct writing *writing = context;
	struct json_builder change;
	struct json document, sealed;
	struct error err;

	if (entry->revision <= writing->after)
		return true;
	json_object_start(&change, writing->calls->arena);
	json_put_cstring(&change, "op", "put");
	json_put_cstring(&change, "kind", object_kind_word(entry->kind));
	json_put_text(&change, "name", entry->name);
	json_put_integer(&change, "version", entry->in_force->version);
	json_put_integer(&change, "in_force", entry->in_force->version);
	if (entry->kind == OBJECT_IDENTITY)
		json_put_cstring(&change, "state", identity_state_word(entry->state));
	must(object_document(entry->in_force, writing->calls->arena, &document, &err), &err);
	json_put(&change, "object", document);
	must(json_object_seal(&change, &sealed, &err), &err);
	json_add(&writing->changes, sealed);
	return true;
}

static void append(struct recorded_calls *calls, struct text entry)
{
	struct call_bench *bench = &calls->bench;
	struct error err = {0};
	uint64_t index = bench->log.count;

	fake_log_append(&bench->log, entry);
	must(fold_apply_entry(bench->fold, entry, (struct text){0}, index, &err), &err);
}

void recorded_calls_registry(struct recorded_calls *calls)
{
	struct registry *registry = calls->bench.world.registry;
	struct writing writing = {.calls = calls, .after = calls->recorded};
	struct json_builder record;
	struct json changes, sealed;
	struct error err;

	json_array_start(&writing.changes, calls->arena);
	registry_each(registry, OBJECT_NONE, TEXT(""), write_entry, &writing);
	must(json_array_seal(&writing.changes, &changes, &err), &err);
	json_object_start(&record, calls->arena);
	json_put_cstring(&record, "actor", "remit");
	json_put_integer(&record, "at", 1);
	json_put_cstring(&record, "type", "registry");
	json_put_integer(&record, "revision", (int64_t)calls->bench.world.revision);
	json_put(&record, "changes", changes);
	must(json_object_seal(&record, &sealed, &err), &err);
	calls->recorded = calls->bench.world.revision;
	registry_set_revision(registry, calls->recorded);
	append(calls, json_canonical_text(calls->arena, &sealed));
}

static void record_task(struct recorded_calls *calls, const char *id)
{
	struct text entry = text_format(calls->arena,
		"{\"actor\":\"remit\",\"at\":%lld,\"charter-version\":1,\"deadline\":%lld,"
		"\"environment\":\"staging\",\"identity\":\"agent\",\"identity-epoch\":0,"
		"\"task\":\"%s\",\"type\":\"task-opened\"}",
		(long long)calls->bench.world.now_utc_ms,
		(long long)calls->bench.world.now_utc_ms + 900000, id);

	append(calls, entry);
}

void recorded_calls_init(struct recorded_calls *calls)
{
	*calls = (struct recorded_calls){.arena = arena_create((size_t)1 << 30)};
	call_bench_init(&calls->bench, 0);
	recorded_calls_registry(calls);
	record_task(calls, "t-1");
}

void recorded_calls_deinit(struct recorded_calls *calls)
{
	call_bench_deinit(&calls->bench);
	arena_destroy(&calls->arena);
}

void recorded_calls_call(struct recorded_calls *calls, const char *tool, const char *arguments)
{
	struct bench_client client;

	if (!call_bench_start(&calls->bench, &client, tool, arguments))
		abort();
	if (client.replies == 0) {
		call_bench_ready(&calls->bench, true);
		call_bench_answer(&calls->bench, "{\"content\":[]}");
	}
	if (client.replies != 1)
		abort();
}
