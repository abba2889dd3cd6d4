#include "main/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "edges/a2a/a2a_door.h"
#include "edges/api/api.h"
#include "edges/audit_files/audit_files.h"
#include "edges/authzen/authzen.h"
#include "edges/clock/system_clock.h"
#include "edges/confine/confine_self.h"
#include "edges/event_poll/event_poll.h"
#include "edges/health/health.h"
#include "edges/key_fetch/key_fetch.h"
#include "edges/llm/llm_door.h"
#include "edges/mcp/mcp_door.h"
#include "edges/oauth/oauth.h"
#include "edges/scim/scim.h"
#include "edges/signer/signer.h"
#include "edges/sqlite/sqlite_store.h"
#include "edges/ssf/ssf.h"
#include "edges/sts/sts_client.h"
#include "edges/upstream/upstream_edge.h"
#include "main/backup_job.h"
#include "main/canary_road.h"
#include "main/children.h"
#include "main/connector_keeper.h"
#include "main/events.h"
#include "main/folder.h"
#include "main/graph_keeper.h"
#include "main/handing.h"
#include "main/inventory_keeper.h"
#include "main/leavers.h"
#include "main/living_keeper.h"
#include "main/measure_keeper.h"
#include "main/notices.h"
#include "main/notify.h"
#include "main/people.h"
#include "main/posture_keeper.h"
#include "main/record_feed.h"
#include "main/review_keeper.h"
#include "main/sandbox_keeper.h"
#include "main/secrecy.h"
#include "main/signer_process.h"
#include "main/standing_keeper.h"
#include "main/version.h"
#include "services/approve/approve.h"
#include "services/call/call_service.h"
#include "services/decide/decide_service.h"
#include "services/evaluate/evaluate.h"
#include "services/finding/finding.h"
#include "services/issue/issue.h"
#include "services/outbound/outbound.h"
#include "services/record/contents.h"
#include "services/registry/projector.h"
#include "services/registry/registrar.h"
#include "services/settings/secrets.h"
#include "services/sign_in/sign_in.h"
#include "wire/http_client.h"
#include "wire/router.h"

/* The order in which parts are made is the order of the steps below; each is
 * taken down by daemon_destroy in reverse, and accepts never having been made.
 *
 *   folder ▸ keys ▸ log ▸ state (registry, tasks, approvals) ▸ store, caught up
 *   ▸ upstreams ▸ doors ▸ listening
 *
 * Invariant: nothing listens before the state has caught up with the log. */

enum {
	DAEMON_ARENA_BYTES_MAX = 16 * 1024 * 1024,
	DRAIN_MS = 5000,
	DRAIN_TURN_MS = 20,
	URL_BYTES = 128,
	PEM_BYTES_MAX = 64 * 1024,
	DESCRIPTORS_OWN = 256, /* files, pipes, sockets to upstreams */
};

/* Where the projector is in the log: it reads entry after entry, so the place is
 * kept.  By one thread at a time: first the caller's, then the projector's. */
struct log_reading {
	struct record_log *log;
	struct record_reader *reader;
	uint64_t next; /* the entry the reader gives next */
};

struct daemon {
	const struct settings *settings;
	const struct daemon_arguments *arguments;
	struct arena *arena;
	struct folder folder;
	struct loop *loop;
	struct signer_child *signer;
	struct seal_key master; /* wraps others; the signer's keys are not here */
	bool is_signer_lost;
	struct audit_files *files;
	struct sqlite_store *store;
	struct record_log *log;
	struct checkpoint_signer checkpoint_signer;
	struct contents *contents;
	struct secrets *secrets;
	struct detector *detector;
	struct log_filter log_filter;
	struct registry *registry;
	struct task_table *tasks;
	struct fold *fold;
	struct registrar *registrar;
	struct decide_service *decide;
	struct approve *approve;
	struct finding_service *finding;
	struct waiver_service *waivers;
	struct posture *posture;
	struct measure_service *measures;
	struct measure_keeper measuring;
	struct directory_service *directories;
	struct scim *scim;
	struct leavers *leavers;
	struct graph_service *graph;
	struct turns counts; /* of uses */
	struct living_service *living;
	struct turns living_turns;
	struct key_fetcher *key_fetcher;
	struct trust_service *trust;
	struct sign_in *sign_in;
	struct issue *issue;
	struct events *events;
	struct signals *event_signals;
	struct event_poll *event_poll;
	struct signals_poller *poller;
	struct sts_client *sts;
	struct outbound *outbound;
	struct call_service *call;
	struct people_port people;
	struct evaluate *evaluate;
	struct projector *projector;
	struct log_reading reading;
	struct loop_driver turn_end;
	uint64_t followed; /* log entries the projector was told of */
	struct backup_jobs *backups;
	struct http_client *http;
	struct confiner *confiner;
	struct upstream_edge *upstream;
	struct router *router;
	struct http_server *server;
	struct api *api;
	struct oauth *oauth;
	struct authzen *authzen;
	struct mcp_door *mcp;
	struct notices *notices;
	struct review_keeper *reviews;
	struct sandbox_keeper *sandboxes;
	struct turns standing;
	struct turns posture_turns;
	struct posture_turn posture_turn;
	struct record_feed posture_records;
	struct record_feed posture_charters;
	struct record_feed graph_records;
	struct posture_witness posture_witness;
	struct inventory_keeper inventories;
	struct connector_keeper *connectors;
	struct llm_door *llm;
	struct a2a_door *a2a;
	struct ssf *ssf;
	struct canary_walk *canary_walk;
	struct canary *canary;
	struct health health;
	struct loop_watch signals;
	struct loop_timer drain;
	int64_t drain_until_ms;
	struct registrar_request bootstrap;
};

static const char *path_of(struct daemon *daemon, const char *name, struct error *err)
{
	const char *path = folder_path(&daemon->folder, daemon->arena, name);

	if (path == NULL)
		(void)error_set(err, ERROR_LIMIT, "no memory for a path");
	return path;
}

/* ---- ports that join one service to another ---- */

static bool submit_record(void *context, struct record_append *append, struct error *err)
{
	return record_submit(context, append, err);
}

static int64_t stamp_record(void *context)
{
	return record_stamp_utc_ms(context);
}

static bool has_log_failed(void *context)
{
	return record_has_failed(context);
}

/* The entry at index through the reader, opened anew where it is elsewhere. */
static bool reading_take(struct log_reading *reading, uint64_t index, struct record_entry *out,
	bool *is_end, struct error *err)
{
	if (reading->reader != NULL && reading->next != index)
		record_reader_close(&reading->reader);
	if (reading->reader == NULL &&
		!record_reader_open(&reading->reader, reading->log, index, err))
		return false;
	reading->next = index;
	if (!record_reader_next(reading->reader, out, is_end, err))
		return false;
	reading->next += *is_end ? 0 : 1;
	return *is_end || out->index == index ||
	       error_set(err, ERROR_INTERNAL, "the log gave another entry");
}

static bool read_record(void *context, struct arena *arena, uint64_t index,
	struct projector_entry *out, struct error *err)
{
	struct log_reading *reading = context;
	struct record_entry found;
	bool is_end;

	*out = (struct projector_entry){.is_there = index < record_log_size(reading->log)};
	if (!out->is_there)
		return true;
	if (!reading_take(reading, index, &found, &is_end, err))
		return false;
	out->is_there = !is_end;
	if (is_end)
		return true;
	out->entry = text_copy(arena, found.entry);
	return out->entry.data != NULL || error_set(err, ERROR_LIMIT, "no memory for a record");
}

static bool read_record_content(
	void *context, struct arena *arena, uint64_t index, struct text *out, struct error *err)
{
	struct log_reading *reading = context;

	return record_read_content(reading->log, index, arena, out, err);
}

static const struct server *find_server(void *context, struct text name)
{
	return registry_find_server(context, name);
}

/* For each call, so without a format. */
static bool has_tool(const struct registry *registry, struct text server, struct text name)
{
	char tool[TOOL_NAME_BYTES_MAX + 1];
	size_t length = server.length + 1 + name.length;

	if (length > sizeof(tool))
		return false;
	memcpy(tool, server.data, server.length);
	tool[server.length] = '/';
	memcpy(tool + server.length + 1, name.data, name.length);
	return registry_find_tool(registry, (struct text){tool, length}) != NULL;
}

static unsigned find_asks(void *context, struct text name)
{
	unsigned asks = 0;

	if (has_tool(context, name, TEXT("sampling.createMessage")))
		asks |= UPSTREAM_ASKS_SAMPLING;
	if (has_tool(context, name, TEXT("elicitation.create")))
		asks |= UPSTREAM_ASKS_ELICITATION;
	return asks;
}

static bool verify_request(void *context, const struct api_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	const struct issue_signed request = {.authorization = what->authorization,
		.method = what->method,
		.target = what->target,
		.body = what->body,
		.is_local = what->is_local,
		.jwk = what->jwk};

	return issue_verify_request(context, &request, arena, out_person, err);
}

static bool set_secret(void *context, struct text name, struct text value, struct error *err)
{
	struct daemon *daemon = context;

	if (!secrets_set(daemon->secrets, name, value, err))
		return false;
	detector_learn_credential(daemon->detector, name, value);
	return true;
}

static bool remove_secret(void *context, struct text name, struct error *err)
{
	struct daemon *daemon = context;

	if (!secrets_remove(daemon->secrets, name, err))
		return false;
	detector_drop_credential(daemon->detector, name);
	return true;
}

static bool list_secrets(void *context, struct arena *arena, struct json *out, struct error *err)
{
	const struct daemon *daemon = context;

	return secrets_list(daemon->secrets, arena, out, err);
}

static void log_upstream(void *context, struct text server, struct text line)
{
	(void)context;
	log_info("upstream", LOG_TEXT("server", server), LOG_TEXT("line", line));
}

/* ---- keys and log ---- */

/* Every connection is a descriptor: as many as the system lets us have. */
static bool raise_descriptors(struct daemon *daemon, struct error *err)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)daemon->settings->connections_max * 2 + DESCRIPTORS_OWN;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return error_set(err, ERROR_IO, "cannot read the limit of open files");
	if (limit.rlim_cur >= wanted)
		return true;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return error_set(err, ERROR_IO, "cannot raise the limit of open files");
	if (limit.rlim_cur < wanted)
		log_warn("few_descriptors", LOG_NUMBER("have", (int64_t)limit.rlim_cur),
			LOG_NUMBER("want", (int64_t)wanted));
	return true;
}

static bool open_folder(struct daemon *daemon, struct error *err)
{
	if (!confine_self(err) || !folder_open(&daemon->folder, daemon->settings->data, err))
		return false;
	return loop_create(&daemon->loop, err);
}

static void begin_drain(struct daemon *daemon);

/* A daemon that cannot sign opens no task and proves no record: whoever watches it learns it
 * best by its end. */
static void on_signer_lost(void *context)
{
	struct daemon *daemon = context;

	daemon->is_signer_lost = true;
	begin_drain(daemon);
}

/* Before anything is read that a stranger wrote. */
static bool open_keys(struct daemon *daemon, struct error *err)
{
	const char *folder = path_of(daemon, "keys", err);
	const struct signer_child_settings settings = {
		.loop = daemon->loop, .context = daemon, .on_lost = on_signer_lost};

	if (folder == NULL || !signer_process_start(&daemon->signer, folder, &settings, err))
		return false;
	daemon->checkpoint_signer = signer_child_checkpoints(daemon->signer);
	(void)mlock(&daemon->master, sizeof daemon->master);
	return signer_read_master(&daemon->master, folder, err);
}

static bool open_secrets(struct daemon *daemon, struct error *err)
{
	const char *folder = path_of(daemon, "secrets", err);

	return folder != NULL && secrets_open(&daemon->secrets, folder, &daemon->master, err);
}

static bool open_detector(struct daemon *daemon, struct error *err)
{
	const struct secrecy_place place = {
		path_of(daemon, "keys", err), &daemon->master, &daemon->finding};

	if (place.folder == NULL || !secrecy_open(&daemon->detector, daemon->settings, &place, err))
		return false;
	daemon->log_filter = secrecy_log(daemon->detector);
	log_set_filter(&daemon->log_filter);
	secrecy_learn_stored(daemon->detector, daemon->secrets);
	return true;
}

/* The store's mark is somebody who was told how long the log is. */
static bool open_log(struct daemon *daemon, struct error *err)
{
	struct record_log_options options = {.signer = &daemon->checkpoint_signer,
		.version = TEXT(REMIT_VERSION),
		.public_keys = signer_child_public_keys(daemon->signer)};
	const struct store store = sqlite_store_port(daemon->store);
	struct store_mark mark;

	if (!audit_files_open(&daemon->files, daemon->settings->data, err) ||
		!store.load_mark(store.context, &mark, err))
		return false;
	options.disk = audit_files_disk(daemon->files);
	options.known_size = mark.next;
	return contents_open(&daemon->contents, options.disk, &daemon->master, err) &&
	       record_log_open(&daemon->log, &options, err);
}

static bool open_store(struct daemon *daemon, struct error *err)
{
	const char *path = path_of(daemon, "remit.db", err);

	return path != NULL && sqlite_store_open(&daemon->store, path, err);
}

/* ---- state ---- */

static bool make_graph(struct daemon *daemon, struct error *err)
{
	const struct graph_parts parts = {.registry = daemon->registry,
		.fold = daemon->fold,
		.waivers = daemon->waivers,
		.log = {.context = &daemon->graph_records,
			.open = record_feed_open,
			.next = record_feed_next,
			.close = record_feed_close}};

	daemon->graph_records.log = &daemon->log;
	daemon->graph_records.fold = &daemon->fold;
	return graph_keeper_create(&daemon->graph, &parts, daemon->registrar, err);
}

static bool make_posture(struct daemon *daemon, struct error *err)
{
	const struct posture_parts parts = {.registry = daemon->registry,
		.graph = graph_service_graph(daemon->graph),
		.fold = daemon->fold,
		.findings = daemon->finding,
		.waivers = daemon->waivers,
		.inventories = {.context = &daemon->inventories.service,
			.oldest = posture_keeper_oldest},
		.log = {.context = &daemon->posture_records,
			.open = record_feed_open,
			.next = record_feed_next,
			.content = record_feed_content},
		.charters = {.context = &daemon->posture_charters,
			.open = record_feed_open,
			.next = record_feed_next,
			.content = record_feed_content},
		.witness = {.context = &daemon->posture_witness,
			.identity = posture_witness_identity},
		.drift = {.context = &daemon->posture_witness,
			.since_utc_ms = posture_witness_drift},
		.measures = daemon->measures};

	daemon->posture_records.log = &daemon->log;
	daemon->posture_records.fold = &daemon->fold;
	daemon->posture_charters.log = &daemon->log;
	daemon->posture_charters.fold = &daemon->fold;
	daemon->posture_witness = (struct posture_witness){
		.living = &daemon->living, .graph = &daemon->graph, .reviews = &daemon->reviews};
	return posture_create(&daemon->posture, &parts, err);
}

/* What services find wrong becomes findings. */
static bool report_findings(struct daemon *daemon)
{
	const struct owner_gone_after after = {
		daemon->settings->owner_gone_writes_s, daemon->settings->owner_gone_all_s};

	decide_service_report_to(daemon->decide, daemon->finding);
	decide_service_set_owner_gone(daemon->decide, &after);
	return true;
}

static bool make_directories(struct daemon *daemon, struct error *err)
{
	const struct directory_parts parts = {.registrar = daemon->registrar,
		.registry = daemon->registry,
		.fold = daemon->fold,
		.findings = daemon->finding,
		.bounds = {daemon->settings->directory_leavers_max,
			daemon->settings->directory_leavers_percent},
		.tokens = secrecy_codes(daemon->detector)};

	return directory_service_create(&daemon->directories, &parts, err);
}

static bool make_tasks(struct daemon *daemon, struct error *err)
{
	const struct task_bounds bounds = {(size_t)daemon->settings->tasks_max,
		(size_t)daemon->settings->tasks_per_identity_max};

	if (!task_table_create(&daemon->tasks, bounds.tasks_max, err))
		return false;
	task_table_bound(daemon->tasks, &bounds);
	return true;
}

static bool make_fold(struct daemon *daemon, struct error *err)
{
	const struct fold_log log = {.context = daemon->log,
		.submit = submit_record,
		.stamp_utc_ms = stamp_record,
		.has_failed = has_log_failed};

	const struct decide_secrets questions = secrecy_questions(daemon->detector);
	const struct code_listener codes = secrecy_codes(daemon->detector);

	if (!registry_create(&daemon->registry, err) || !make_tasks(daemon, err) ||
		!fold_create(&daemon->fold, &log, daemon->loop, err) ||
		!registrar_create(&daemon->registrar, daemon->registry, daemon->fold, err) ||
		!task_fold_register(daemon->fold, daemon->tasks, err) ||
		!decide_service_create(&daemon->decide, daemon->registry, daemon->tasks, err) ||
		!decide_fold_register(daemon->fold, daemon->decide, err) ||
		!decide_usage_register(daemon->decide, daemon->fold, err) ||
		!finding_service_create(&daemon->finding, daemon->registry, daemon->fold, err) ||
		!waiver_service_create(&daemon->waivers, daemon->fold, err) ||
		!measure_service_create(&daemon->measures, daemon->fold, err) ||
		!living_create(&daemon->living, daemon->registry, daemon->fold, err) ||
		!make_directories(daemon, err) || !report_findings(daemon) ||
		!make_graph(daemon, err) || !make_posture(daemon, err))
		return false;
	registrar_listen(daemon->registrar, &codes);
	registrar_use_loop(daemon->registrar, daemon->loop);
	decide_use_secrets(daemon->decide, &questions);
	return true;
}

static bool make_approve(struct daemon *daemon, struct error *err)
{
	const struct approve_settings settings = {
		.question_ms = daemon->settings->approval_lifetime_s * 1000,
		.answer_ms = daemon->settings->approval_lifetime_s * 1000,
		.per_person_max = (uint32_t)daemon->settings->questions_per_person_max,
	};

	return approve_create(
		&daemon->approve, daemon->registry, daemon->tasks, daemon->fold, &settings, err);
}

static bool make_inventories(struct daemon *daemon, struct error *err)
{
	return inventory_keeper_make(
		       &daemon->inventories, daemon->loop, daemon->fold, daemon->log, err) &&
	       inventory_keeper_join(&daemon->inventories, graph_service_graph(daemon->graph), err);
}

static bool tell_inventories(struct daemon *daemon, struct error *err)
{
	return inventory_keeper_start(&daemon->inventories, err);
}

static enum issue_nonces nonces_of(const char *word)
{
	if (strcmp(word, "tokens") == 0)
		return ISSUE_NONCES_TOKENS;
	return strcmp(word, "never") == 0 ? ISSUE_NONCES_NEVER : ISSUE_NONCES_ALWAYS;
}

static bool make_trust(struct daemon *daemon, struct error *err)
{
	struct sign_in_parts people = {.registry = daemon->registry};
	struct trust_parts parts = {.loop = daemon->loop,
		.registry = daemon->registry,
		.outbound = (const struct outbound *const *)&daemon->outbound};

	if (!key_fetcher_create(&daemon->key_fetcher, daemon->loop, daemon->http, err))
		return false;
	parts.fetcher = key_fetcher_port(daemon->key_fetcher);
	if (!trust_create(&daemon->trust, &parts, err))
		return false;
	people.trust = daemon->trust;
	return sign_in_create(&daemon->sign_in, &people, err);
}

/* Two had what one should have: somebody looks at it. */
static void report_reuse(void *context, const struct issue_reuse *reuse)
{
	struct daemon *daemon = context;
	char subject[FINDING_SUBJECT_BYTES_MAX];
	struct finding_draft draft = {.kind = FINDING_GRANT_REUSED,
		.control = "G-17",
		.task = reuse->task,
		.what = reuse->why};
	struct error err = {0};

	(void)snprintf(subject, sizeof subject, "identity/%.*s", TEXT_ARGS(reuse->identity));
	draft.subject = text_of(subject);
	if (daemon->finding == NULL || !finding_report(daemon->finding, &draft, &err))
		log_warn("grant_reused_unreported", LOG_STRING("why", err.text));
}

static bool make_issue(struct daemon *daemon, struct error *err)
{
	const struct issue_parts parts = {.loop = daemon->loop,
		.fold = daemon->fold,
		.registry = daemon->registry,
		.tasks = daemon->tasks,
		.signer = signer_child_tokens(daemon->signer),
		.nonces = nonces_of(daemon->settings->dpop_nonces),
		.trust = daemon->trust,
		.on_token = secrecy_token,
		.token_context = daemon->detector,
		.on_reuse = report_reuse,
		.reuse_context = daemon,
		.key_overlap_ms = daemon->settings->token_key_overlap_s * 1000,
		.installation = text_of(daemon->checkpoint_signer.key->name)};

	return issue_create(&daemon->issue, &parts, err);
}

static int64_t stamp_utc_ms(void *context)
{
	const struct daemon *daemon = context;

	return fold_stamp_utc_ms(daemon->fold);
}

/* Security events of others. */
static bool make_events(struct daemon *daemon, struct error *err)
{
	struct signals_parts parts = {
		.fold = daemon->fold, .wall_utc_ms = stamp_utc_ms, .clock_context = daemon};

	if (!events_create(&daemon->events, daemon->trust, daemon->issue, daemon->registrar, err))
		return false;
	parts.issuers = events_issuers(daemon->events);
	parts.tasks = events_tasks(daemon->events);
	return signals_create(&daemon->event_signals, &parts, err);
}

static void on_polled(void *context, struct text issuer, const char *why)
{
	const struct daemon *daemon = context;

	trust_note_polled(daemon->trust, issuer, why);
}

static bool make_connectors(struct daemon *daemon, struct error *err)
{
	const struct connector_keeper_parts parts = {.loop = daemon->loop,
		.http = daemon->http,
		.secrets = daemon->secrets,
		.detector = daemon->detector,
		.vault = upstream_edge_vault(daemon->upstream),
		.fold = daemon->fold,
		.registry = daemon->registry,
		.inventory = daemon->inventories.service,
		.finding = daemon->finding};

	return connector_keeper_create(&daemon->connectors, &parts, err);
}

static bool start_connectors(struct daemon *daemon, struct error *err)
{
	return connector_service_start(connector_keeper_service(daemon->connectors), err);
}

/* Once we have an address that events can be meant for. */
static bool poll_events(struct daemon *daemon, struct error *err)
{
	struct signals_poller_parts parts = {.loop = daemon->loop,
		.registry = daemon->registry,
		.signals = daemon->event_signals,
		.on_polled = on_polled,
		.context = daemon};

	if (!event_poll_create(&daemon->event_poll, daemon->http, daemon->secrets, err))
		return false;
	parts.fetcher = event_poll_port(daemon->event_poll);
	return signals_poller_create(&daemon->poller, &parts, err);
}

/* What servers are sent where no secret is kept for them. */
static bool make_outbound(struct daemon *daemon, struct error *err)
{
	struct outbound_parts parts = {.loop = daemon->loop,
		.fold = daemon->fold,
		.registry = daemon->registry,
		.tasks = daemon->tasks,
		.signer = signer_child_identities(daemon->signer),
		.on_token = secrecy_token,
		.token_context = daemon->detector};

	if (!sts_client_create(&daemon->sts, daemon->http, err))
		return false;
	parts.asker = sts_client_port(daemon->sts);
	return outbound_create(&daemon->outbound, &parts, err);
}

static bool make_confiner(struct daemon *daemon, struct error *err)
{
	return children_open(&daemon->confiner, daemon->settings, getenv("PATH"), err);
}

static bool make_upstream(struct daemon *daemon, struct error *err)
{
	const struct settings *from = daemon->settings;
	const struct upstream_edge_settings settings = {.loop = daemon->loop,
		.http = daemon->http,
		.find_server = find_server,
		.find_context = daemon->registry,
		.find_asks = find_asks,
		.secrets = daemon->secrets,
		.outbound = daemon->outbound,
		.credentials = secrecy_credentials(daemon->detector),
		.vault = {.url = from->vault_url,
			.ca_file = from->vault_ca,
			.namespace = from->vault_namespace,
			.token_file = from->vault_token_file,
			.role_id = from->vault_role_id,
			.secret_id_file = from->vault_secret_id_file},
		.directory = from->data,
		.search_path = getenv("PATH"),
		.confiner = children_port(daemon->confiner),
		.on_log = log_upstream};

	return upstream_edge_create(&daemon->upstream, &settings, err);
}

/* contents_* with the context that ports have. */
static bool digest_value(
	void *context, struct text task, struct text value, struct sha256 *out, struct error *err)
{
	return contents_digest(context, task, value, out, err);
}

static bool seal_value(void *context, struct text task, struct text plain, struct arena *arena,
	struct content_sealed *out, struct error *err)
{
	return contents_seal(context, task, plain, arena, out, err);
}

static bool attach_key(
	void *context, struct text task, struct record_append *append, struct error *err)
{
	return contents_attach(context, task, append, err);
}

/* What lies sealed beside a record, opened. */
static bool open_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	const struct daemon *daemon = context;
	struct text sealed;

	return record_read_content(daemon->log, index, arena, &sealed, err) &&
	       contents_open_sealed(daemon->contents, sealed, arena, out, err);
}

static struct call_settings call_times(const struct settings *settings)
{
	struct call_settings times = call_settings_default;

	times.hold_ms = settings->hold_ms;
	times.upstream_ms = settings->upstream_timeout_ms;
	times.tool_calls = strcmp(settings->model_tool_calls, "record") == 0 ? CALL_TOOLS_RECORD
									     : CALL_TOOLS_BLOCK;
	return times;
}

static bool make_call(struct daemon *daemon, struct error *err)
{
	const struct call_ports ports = {.loop = daemon->loop,
		.fold = daemon->fold,
		.registry = daemon->registry,
		.tasks = daemon->tasks,
		.decide = daemon->decide,
		.approve = daemon->approve,
		.upstream = upstream_edge_port(daemon->upstream),
		.values = {daemon->contents, digest_value, seal_value, attach_key},
		.contents = {daemon, open_content},
		.handing = handing_port(&daemon->issue),
		.detector = daemon->detector};
	const struct call_settings times = call_times(daemon->settings);
	struct upstream_listener listener;

	if (!call_service_create(&daemon->call, &ports, &times, err))
		return false;
	daemon->people = (struct people_port){daemon->call, daemon->approve, daemon->fold};
	people_join(daemon->issue, &daemon->people);
	listener = call_upstream_listener(daemon->call);
	upstream_edge_listen(daemon->upstream, &listener);
	return true;
}

static bool make_evaluate(struct daemon *daemon, struct error *err)
{
	const struct evaluate_parts parts = {.fold = daemon->fold,
		.registry = daemon->registry,
		.decide = daemon->decide,
		.approve = daemon->approve,
		.values = {daemon->contents, digest_value, seal_value, attach_key},
		.durability = strcmp(daemon->settings->authzen_record, "behind") == 0
				      ? EVALUATE_BEHIND
				      : EVALUATE_AWAITED};

	return evaluate_create(&daemon->evaluate, &parts, err);
}

/* The store follows at the end of each turn in which the log has grown, and no charter stays
 * unpacked for nobody. */
static int64_t end_turn(struct loop_driver *driver)
{
	struct daemon *daemon = driver->context;
	uint64_t size = record_log_size(daemon->log);

	registry_tidy(daemon->registry);
	if (size != daemon->followed) {
		daemon->followed = size;
		projector_notify(daemon->projector, size);
	}
	return -1;
}

static bool catch_up(struct daemon *daemon, struct error *err)
{
	const struct store store = sqlite_store_port(daemon->store);
	const struct projector_log log = {.context = &daemon->reading,
		.read = read_record,
		.read_content = read_record_content};
	bool was_rebuilt;
	size_t unknown;

	daemon->reading.log = daemon->log;
	if (!projector_catch_up(daemon->fold, &store, &log, &was_rebuilt, err))
		return false;
	if (was_rebuilt)
		log_warn("store_rebuilt", LOG_STRING("why", "it was not of this log"));
	if (!call_recover(daemon->call, &unknown, err))
		return false;
	if (unknown > 0)
		log_warn("outcomes_unknown", LOG_NUMBER("calls", (int64_t)unknown));
	if (!projector_start(&daemon->projector, daemon->fold, &store, &log, err))
		return false;
	daemon->turn_end = (struct loop_driver){.turn = end_turn, .context = daemon};
	loop_driver_add(daemon->loop, &daemon->turn_end);
	return backup_jobs_create(
		&daemon->backups, daemon->loop, daemon->log, audit_files_disk(daemon->files), err);
}

/* ---- doors ---- */

static struct api_services api_parts(struct daemon *daemon)
{
	return (struct api_services){
		.loop = daemon->loop,
		.fold = daemon->fold,
		.registrar = daemon->registrar,
		.sign_in = daemon->sign_in,
		.decide = daemon->decide,
		.approve = daemon->approve,
		.finding = daemon->finding,
		.review = review_keeper_service(daemon->reviews),
		.posture = daemon->posture,
		.directories = daemon->directories,
		.graph = daemon->graph,
		.waivers = daemon->waivers,
		.inventory = daemon->inventories.service,
		.connector = connector_keeper_service(daemon->connectors),
		.living = daemon->living,
		.call = daemon->call,
		.log = daemon->log,
		.projector = daemon->projector,
		.contents = daemon->contents,
		.installation = text_of(daemon->checkpoint_signer.key->name),
		.signatures = {daemon->issue, verify_request},
		.tasks = {daemon->issue, issue_task_show, issue_task_list, issue_task_end,
			issue_receipt_of, issue_task_hops},
		.consents = {daemon->issue, issue_consent_show, issue_consent_answer},
		.token_keys = {daemon->issue, issue_keys_list, issue_keys_rotate},
		.trust = {daemon->trust, trust_list},
		.secrets = {daemon, set_secret, remove_secret, list_secrets},
		.backups = {daemon->backups, backup_jobs_write},
	};
}

/* Between agents. */
static bool make_peer_door(struct daemon *daemon, struct error *err)
{
	const struct a2a_door_settings settings = {.issue = daemon->issue,
		.calls = daemon->call,
		.decide = daemon->decide,
		.registry = daemon->registry,
		.signer = signer_child_cards(daemon->signer),
		.now_utc_ms = stamp_utc_ms,
		.clock_context = daemon};

	return a2a_door_create(&daemon->a2a, &settings, err) &&
	       a2a_door_route(daemon->a2a, daemon->router, err);
}

static bool make_doors(struct daemon *daemon, struct error *err)
{
	const struct api_services services = api_parts(daemon);
	const struct mcp_door_settings mcp = {.loop = daemon->loop,
		.issue = daemon->issue,
		.calls = daemon->call,
		.version = REMIT_VERSION};
	const struct llm_door_settings llm = {.issue = daemon->issue,
		.calls = daemon->call,
		.decide = daemon->decide,
		.registry = daemon->registry};
	const struct authzen_parts authzen = {
		.issue = daemon->issue, .evaluate = daemon->evaluate, .registry = daemon->registry};

	return router_create(&daemon->router, err) && api_create(&daemon->api, &services, err) &&
	       api_add_routes(daemon->api, daemon->router, err) &&
	       oauth_create(&daemon->oauth, daemon->issue, daemon->registrar, err) &&
	       oauth_add_routes(daemon->oauth, daemon->router, err) &&
	       authzen_create(&daemon->authzen, &authzen, err) &&
	       authzen_add_routes(daemon->authzen, daemon->router, err) &&
	       mcp_door_create(&daemon->mcp, &mcp, err) &&
	       mcp_door_route(daemon->mcp, daemon->router, err) &&
	       llm_door_create(&daemon->llm, &llm, err) &&
	       llm_door_route(daemon->llm, daemon->router, err) && make_peer_door(daemon, err) &&
	       ssf_create(&daemon->ssf, daemon->event_signals, err) &&
	       ssf_add_routes(daemon->ssf, daemon->router, err) &&
	       scim_create(&daemon->scim, daemon->directories, daemon->loop, err) &&
	       scim_add_routes(daemon->scim, daemon->router, err) &&
	       health_add_routes(&daemon->health, daemon->router, err);
}

/* A PEM file, whole; NULL without a path. */
static bool load_pem(struct daemon *daemon, const char *path, const char **out, struct error *err)
{
	FILE *file;
	char *content;
	size_t got;

	*out = NULL;
	if (path == NULL)
		return true;
	content = arena_alloc(daemon->arena, PEM_BYTES_MAX + 1, 1);
	file = fopen(path, "re");
	if (content == NULL || file == NULL) {
		(void)error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
		if (file != NULL)
			(void)fclose(file);
		return false;
	}
	got = fread(content, 1, PEM_BYTES_MAX, file);
	(void)fclose(file);
	if (got == 0 || got == PEM_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "%s: is not a PEM file of at most %d bytes",
			path, PEM_BYTES_MAX);
	*out = content;
	return true;
}

static bool asks_certificates(const struct settings *settings)
{
	return settings->tls_cert != NULL && strcmp(settings->client_certificates, "ask") == 0;
}

static bool listen_on(struct daemon *daemon, struct error *err)
{
	const struct settings *settings = daemon->settings;
	struct http_server_settings http = {.tcp_address = settings->listen,
		.unix_path = path_of(daemon, "remit.sock", err),
		.pool_bytes = (size_t)settings->connection_pool_bytes,
		.body_bytes_max = (size_t)settings->body_bytes_max,
		.connections_max = (uint32_t)settings->connections_max,
		.asks_certificates = asks_certificates(settings),
		.on_request = router_on_request,
		.context = daemon->router};

	return http.unix_path != NULL &&
	       load_pem(daemon, settings->tls_cert, &http.tls_certificate, err) &&
	       load_pem(daemon, settings->tls_key, &http.tls_key, err) &&
	       http_server_create(&daemon->server, daemon->loop, &http, err);
}

static bool make_notices(struct daemon *daemon, struct error *err)
{
	const struct notices_parts parts = {.loop = daemon->loop,
		.http = daemon->http,
		.fold = daemon->fold,
		.approve = daemon->approve,
		.secrets = daemon->secrets,
		.url = daemon->settings->webhook_url,
		.secret = daemon->settings->webhook_secret,
		.installation = text_of(daemon->checkpoint_signer.key->name),
		.findings = daemon->finding};

	return notices_create(&daemon->notices, &parts, err);
}

/* Before the log is read: its records are folded then. */
static bool make_reviews(struct daemon *daemon, struct error *err)
{
	const struct review_parts parts = {.registry = daemon->registry,
		.registrar = daemon->registrar,
		.fold = daemon->fold,
		.approve = daemon->approve,
		.finding = daemon->finding,
		.living = daemon->living,
		.graph = daemon->graph};

	return review_keeper_create(&daemon->reviews, daemon->loop, daemon->log, &parts, err);
}

static bool keep_reviews(struct daemon *daemon, struct error *err)
{
	const struct inventory_judge judge = review_keeper_judge(daemon->reviews);

	inventory_use_judge(daemon->inventories.service, &judge);
	return review_keeper_start(daemon->reviews, daemon->notices,
		graph_service_graph(daemon->graph), connector_keeper_service(daemon->connectors),
		err);
}

static bool keep_sandboxes(struct daemon *daemon, struct error *err)
{
	return sandbox_keeper_create(&daemon->sandboxes, daemon->loop, daemon->registrar, err);
}

static bool follow_leavers(struct daemon *daemon, struct error *err)
{
	const struct leavers_parts parts = {
		daemon->loop, daemon->directories, daemon->finding, daemon->issue};

	return leavers_create(&daemon->leavers, &parts, err);
}

static bool keep_living(struct daemon *daemon, struct error *err)
{
	return living_keeper_start(&daemon->living_turns, daemon->loop, daemon->living, err);
}

static bool watch_standing(struct daemon *daemon, struct error *err)
{
	return standing_keeper_start(&daemon->standing, daemon->loop, daemon->finding, err) &&
	       graph_keeper_start(&daemon->counts, daemon->loop, daemon->graph, err);
}

static bool take_measures(struct daemon *daemon, struct error *err)
{
	const struct measure_keeper_parts parts = {.loop = daemon->loop,
		.fold = daemon->fold,
		.measures = daemon->measures,
		.decide = daemon->decide,
		.findings = daemon->finding,
		.disk = audit_files_disk(daemon->files),
		.master = &daemon->master,
		.times_every_s = daemon->settings->decision_times_every_s,
		.sample_every_s = daemon->settings->replay_sample_every_s};

	return measure_keeper_start(&daemon->measuring, &parts, err);
}

static bool watch_posture(struct daemon *daemon, struct error *err)
{
	daemon->posture_turn = (struct posture_turn){&daemon->posture, &daemon->graph};
	return posture_keeper_start(
		&daemon->posture_turns, daemon->loop, &daemon->posture_turn, err);
}

/* Only where it was set: whoever it tries kills with is registered by people. */
static bool keep_canary(struct daemon *daemon, struct error *err)
{
	const struct canary_walk_parts parts = {.issue = daemon->issue,
		.evaluate = daemon->evaluate,
		.finding = daemon->finding,
		.measures = daemon->measures,
		.identity = daemon->settings->canary,
		.key_file = daemon->settings->canary_key};
	const struct canary_plan plan = {
		daemon->settings->canary_every_s, daemon->settings->canary_tasks};
	struct canary_road road;

	if (daemon->settings->canary == NULL)
		return true;
	if (!canary_walk_create(&daemon->canary_walk, &parts, err))
		return false;
	road = canary_walk_road(daemon->canary_walk);
	if (!canary_create(&daemon->canary, daemon->loop, &road, &plan, err))
		return false;
	daemon->health.canary = daemon->canary;
	return true;
}

/* The address callers use, known once the port is. */
static bool announce(struct daemon *daemon, struct error *err)
{
	const struct settings *settings = daemon->settings;
	struct listen_address address;
	char line[URL_BYTES];
	struct text url, base;

	if (!listen_address_parse(&address, settings->listen, err))
		return false;
	if (asks_certificates(settings))
		oauth_offer_certificates(daemon->oauth);
	(void)snprintf(line, sizeof line,
		strchr(address.host, ':') == NULL ? "%s:%u\n" : "[%s]:%u\n", address.host,
		(unsigned)http_server_port(daemon->server));
	url = settings->public_url != NULL ? text_of(settings->public_url)
					   : text_format(daemon->arena, "%s://%.*s",
						     settings->tls_cert == NULL ? "http" : "https",
						     (int)strlen(line) - 1, line);
	base = text_format(daemon->arena, "%.*s/scim/v2", TEXT_ARGS(url));
	if (url.data == NULL || base.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the address");
	directory_set_base(daemon->directories, base);
	if (!issue_set_issuer(daemon->issue, url, err) ||
		!signals_set_audience(daemon->event_signals, url, err) ||
		!outbound_set_issuer(daemon->outbound, url, err) ||
		!signer_child_set_issuer(daemon->signer, url, err) ||
		!issue_start(daemon->issue, err) || !trust_start(daemon->trust, err))
		return false;
	notices_start(daemon->notices, daemon->mcp, url);
	finding_check_guardrails(daemon->finding);
	log_info("listening", LOG_TEXT("url", url), LOG_STRING("data", settings->data));
	return folder_write(&daemon->folder, "listen", line, err);
}

/* ---- the first administrator ---- */

static void on_bootstrap(struct registrar_request *request)
{
	const struct daemon *daemon = request->context;

	if (request->err.code == ERROR_NONE) {
		(void)printf(
			"There is no administrator yet.  With this code, good for 15 minutes and "
			"one use,\n\n    remit login PERSON --data %s\n\nenrols the first one: "
			"%s\n",
			daemon->settings->data, request->issued_code);
		(void)fflush(stdout);
	} else {
		log_error("bootstrap_failed", LOG_STRING("why", request->err.text));
	}
	registrar_request_deinit(request);
}

static bool offer_bootstrap(struct daemon *daemon, struct error *err)
{
	struct registrar_request *request = &daemon->bootstrap;

	if (registrar_has_administrator(daemon->registrar))
		return true;
	*request = (struct registrar_request){.verb = REGISTRAR_BOOTSTRAP,
		.actor = TEXT("remit"),
		.context = daemon,
		.done = on_bootstrap};
	return registrar_submit(daemon->registrar, request, err);
}

/* ---- signals ---- */

/* What looks at the estate a step a turn, and writes what it saw. */
static void stop_looking(struct daemon *daemon)
{
	turns_stop(&daemon->standing);
	turns_stop(&daemon->posture_turns);
	turns_stop(&daemon->living_turns);
	turns_stop(&daemon->counts);
	turns_stop(&daemon->inventories.turns);
}

static bool is_quiet(const struct daemon *daemon)
{
	return call_figures(daemon->call).in_flight == 0 && fold_in_flight(daemon->fold) == 0 &&
	       !registrar_is_busy(daemon->registrar);
}

/* Stops once no call is in flight and no record on its way, or when the time is over. */
static void on_drain_turn(struct loop_timer *timer)
{
	struct daemon *daemon = timer->context;

	if (is_quiet(daemon) || loop_now_ms(daemon->loop) >= daemon->drain_until_ms ||
		!loop_timer_start(daemon->loop, timer, DRAIN_TURN_MS))
		loop_stop(daemon->loop);
}

static void begin_drain(struct daemon *daemon)
{
	if (daemon->health.is_draining)
		return;
	log_info("draining", LOG_NUMBER("ms", DRAIN_MS));
	notify_manager("STOPPING=1");
	daemon->health.is_draining = true;
	stop_looking(daemon);
	http_server_quiesce(daemon->server);
	upstream_edge_stop(daemon->upstream);
	daemon->drain_until_ms = loop_now_ms(daemon->loop) + DRAIN_MS;
	on_drain_turn(&daemon->drain);
}

/* Everything is read and checked first; then what may change while running is
 * switched. */
static void reload(struct daemon *daemon)
{
	struct arena *arena = arena_create(DAEMON_ARENA_BYTES_MAX);
	struct settings fresh;
	struct error err;

	if (arena == NULL)
		return;
	if (!settings_read(
		    &fresh, arena, daemon->arguments->count, daemon->arguments->words, &err)) {
		log_warn("reload_refused", LOG_STRING("why", err.text));
	} else {
		const struct call_settings times = call_times(&fresh);

		call_service_change(daemon->call, &times);
		approve_bound_people(daemon->approve, (uint32_t)fresh.questions_per_person_max);
		secrecy_change(daemon->detector, &fresh);
		log_info("reloaded", LOG_NUMBER("hold_ms", fresh.hold_ms),
			LOG_NUMBER("upstream_timeout_ms", fresh.upstream_timeout_ms),
			LOG_NUMBER("questions_per_person_max", fresh.questions_per_person_max),
			LOG_STRING("model_tool_calls", fresh.model_tool_calls));
	}
	arena_destroy(&arena);
}

static void on_signal(struct loop_watch *watch, unsigned events)
{
	struct daemon *daemon = watch->context;
	struct signalfd_siginfo signal;

	(void)events;
	while (read(watch->fd, &signal, sizeof signal) == (ssize_t)sizeof signal) {
		if (signal.ssi_signo == SIGHUP)
			reload(daemon);
		else
			begin_drain(daemon);
	}
}

static bool watch_signals(struct daemon *daemon, struct error *err)
{
	sigset_t taken;

	sigemptyset(&taken);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	if (pthread_sigmask(SIG_BLOCK, &taken, NULL) != 0)
		return error_set(err, ERROR_IO, "cannot take signals");
	daemon->signals =
		(struct loop_watch){.fd = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC),
			.events = LOOP_READ,
			.on_event = on_signal,
			.context = daemon};
	if (daemon->signals.fd < 0)
		return error_set(err, ERROR_IO, "cannot take signals");
	return loop_watch_add(daemon->loop, &daemon->signals, err);
}

/* ---- the whole ---- */

typedef bool daemon_step(struct daemon *daemon, struct error *err);

static bool make_http(struct daemon *daemon, struct error *err)
{
	return http_client_create(&daemon->http, daemon->loop, err);
}

static bool watch_health(struct daemon *daemon, struct error *err)
{
	(void)err;
	daemon->health = (struct health){.fold = daemon->fold,
		.registry = daemon->registry,
		.issue = daemon->issue,
		.call = daemon->call,
		.decide = daemon->decide,
		.finding = daemon->finding,
		.review = review_keeper_service(daemon->reviews),
		.posture = daemon->posture,
		.approve = daemon->approve,
		.log = daemon->log,
		.projector = daemon->projector,
		.server = daemon->server};
	return true;
}

/* Signals first, so that every thread made later has them blocked. */
static const struct {
	const char *what;
	daemon_step *run;
} steps[] = {
	{"open files", raise_descriptors},
	{"folder", open_folder},
	{"signals", watch_signals},
	{"keys", open_keys},
	{"secrets", open_secrets},
	{"detector", open_detector},
	{"store", open_store},
	{"audit log", open_log},
	{"state", make_fold},
	{"approvals", make_approve},
	{"reviews", make_reviews},
	{"inventories", make_inventories},
	{"HTTP client", make_http},
	{"issuers", make_trust},
	{"tokens", make_issue},
	{"events", make_events},
	{"provider tokens", make_outbound},
	{"confinement", make_confiner},
	{"upstreams", make_upstream},
	{"connectors", make_connectors},
	{"calls", make_call},
	{"decision points", make_evaluate},
	{"catching up", catch_up},
	{"doors", make_doors},
	{"notices", make_notices},
	{"review deadlines", keep_reviews},
	{"sandboxes", keep_sandboxes},
	{"standing access", watch_standing},
	{"posture", watch_posture},
	{"measures", take_measures},
	{"leavers", follow_leavers},
	{"what inventories say", tell_inventories},
	{"living records", keep_living},
	{"listening", listen_on},
	{"health", watch_health},
	{"address", announce},
	{"polling", poll_events},
	{"asking providers", start_connectors},
	{"canary", keep_canary},
	{"first administrator", offer_bootstrap},
};

bool daemon_create(struct daemon **out, const struct settings *settings,
	const struct daemon_arguments *arguments, struct error *err)
{
	struct daemon *daemon = calloc(1, sizeof *daemon);
	bool ok = true;

	*out = NULL;
	if (daemon == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the daemon");
	daemon->settings = settings;
	daemon->arguments = arguments;
	daemon->folder.lock_fd = -1;
	daemon->signals.fd = -1;
	daemon->drain = (struct loop_timer){.on_due = on_drain_turn, .context = daemon};
	daemon->arena = arena_create(DAEMON_ARENA_BYTES_MAX);
	if (daemon->arena == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory for the daemon");
	for (size_t i = 0; ok && i < sizeof steps / sizeof steps[0]; i++) {
		ok = steps[i].run(daemon, err);
		if (!ok)
			error_wrap(err, "%s", steps[i].what);
	}
	if (ok)
		*out = daemon;
	else
		daemon_destroy(&daemon);
	return ok;
}

bool daemon_run(struct daemon *daemon, struct error *err)
{
	notify_manager("READY=1");
	return loop_run(daemon->loop, err) &&
	       (!daemon->is_signer_lost ||
		       error_set(err, ERROR_IO, "the signer could not be kept running"));
}

/* After the records that would call them. */
static void destroy_directories(struct daemon *daemon)
{
	scim_destroy(&daemon->scim);
	directory_service_destroy(&daemon->directories);
}

/* What looks, a step a turn, and then what it looks at. */
static void destroy_watchers(struct daemon *daemon)
{
	stop_looking(daemon);
	posture_destroy(&daemon->posture);
	measure_service_destroy(&daemon->measures);
	inventory_keeper_stop(&daemon->inventories);
	finding_service_destroy(&daemon->finding);
	graph_service_destroy(&daemon->graph);
	waiver_service_destroy(&daemon->waivers);
	living_destroy(&daemon->living);
}

/* Doors first, so that nothing new comes in; the log before the loop, because
 * its completions are posted there. */
void daemon_destroy(struct daemon **daemon_at)
{
	struct daemon *daemon = *daemon_at;

	if (daemon == NULL)
		return;
	http_server_destroy(&daemon->server);
	review_keeper_stop(daemon->reviews);
	notices_destroy(&daemon->notices);
	mcp_door_destroy(&daemon->mcp);
	llm_door_destroy(&daemon->llm);
	a2a_door_destroy(&daemon->a2a);
	oauth_destroy(&daemon->oauth);
	api_destroy(&daemon->api);
	router_destroy(&daemon->router);
	backup_jobs_destroy(&daemon->backups);
	measure_keeper_stop(&daemon->measuring);
	if (daemon->projector != NULL)
		projector_stop(&daemon->projector);
	record_reader_close(&daemon->reading.reader);
	record_feed_close(&daemon->posture_records);
	record_feed_close(&daemon->posture_charters);
	record_feed_close(&daemon->graph_records);
	record_log_close(&daemon->log);
	contents_close(&daemon->contents);
	call_service_destroy(&daemon->call);
	evaluate_destroy(&daemon->evaluate);
	authzen_destroy(&daemon->authzen); /* after the records that would call it */
	connector_keeper_destroy(&daemon->connectors);
	upstream_edge_destroy(&daemon->upstream); /* after the exchanges that wait on it */
	confiner_destroy(&daemon->confiner);
	signer_child_forget(daemon->signer); /* whose questions go with the next */
	canary_destroy(&daemon->canary);
	canary_walk_destroy(&daemon->canary_walk);
	signals_destroy(&daemon->event_signals); /* after the records that would call it */
	ssf_destroy(&daemon->ssf);
	signals_poller_destroy(&daemon->poller);
	event_poll_destroy(&daemon->event_poll);
	outbound_destroy(&daemon->outbound);
	sts_client_destroy(&daemon->sts);
	issue_destroy(&daemon->issue);
	leavers_destroy(&daemon->leavers); /* after its sweep */
	sign_in_destroy(&daemon->sign_in);
	trust_destroy(&daemon->trust); /* after the openings that wait for keys */
	key_fetcher_destroy(&daemon->key_fetcher);
	http_client_destroy(&daemon->http);
	review_keeper_destroy(&daemon->reviews);
	approve_destroy(&daemon->approve);
	decide_service_destroy(&daemon->decide);
	destroy_watchers(daemon);
	registrar_destroy(&daemon->registrar);
	destroy_directories(daemon);
	events_destroy(&daemon->events);            /* after its requests, as: */
	sandbox_keeper_destroy(&daemon->sandboxes); /* after what would tell it of its request */
	fold_destroy(&daemon->fold);
	task_table_destroy(&daemon->tasks);
	registry_destroy(&daemon->registry);
	sqlite_store_close(&daemon->store);
	audit_files_close(&daemon->files);
	log_set_filter(NULL); /* no thread but ours is left */
	detector_close(&daemon->detector);
	secrets_close(&daemon->secrets);
	signer_child_stop(&daemon->signer);
	explicit_bzero(&daemon->master, sizeof daemon->master);
	if (daemon->signals.fd >= 0)
		close(daemon->signals.fd);
	loop_destroy(&daemon->loop);
	folder_close(&daemon->folder);
	arena_destroy(&daemon->arena);
	free(daemon);
	*daemon_at = NULL;
}
