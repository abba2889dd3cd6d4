#ifndef TESTS_SUPPORT_CALL_BENCH_H
#define TESTS_SUPPORT_CALL_BENCH_H

#include "services/call/call_service.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"
#include "support/people.h"

/* The whole path of a call, a server that does what it is told, and the law built
 * in: upstream.start aborts the test unless the log's durable entries hold an
 * ALLOW for exactly this request that no other request was sent on, and whose
 * approval, if it needed one, opened no other.
 *
 * The log and the state that follows it are a filling: call_bench_init fills in a
 * log in memory (call_fake.c); durable_bench.h the real log on a disk that
 * forgets. */

enum {
	CALL_BENCH_REQUESTS_MAX = 4096,
	/* The service's settings. */
	CALL_BENCH_EXCHANGES_MAX = 68,
	CALL_BENCH_PER_IDENTITY_MAX = 66,
	CALL_BENCH_PER_TASK_MAX = 64,
};

enum fault { FAULT_NONE = 0, FAULT_NOW, FAULT_LATER };

struct call_bench;

/* What the door of one call saw. */
struct bench_client {
	struct exchange *exchange; /* NULL once it was answered or aborted */
	unsigned replies;
	unsigned notices;
	bool is_aborted;
	enum call_reply_kind kind;
	enum reason reason;
	enum verdict verdict;
	bool is_recorded;
	uint64_t index;
	char approval[32];
	char message[2048];
	char result[2048];
	bool has_result_text; /* and it was the same */
	/* What the server asked of it within the call. */
	struct call_bench *bench;
	bool refuses_asks; /* it has no room for one */
	unsigned asks;
	unsigned asks_over;
	uint64_t ask; /* number of the last */
	char ask_method[64];
	char ask_params[2048];
};

struct call_filling {
	void *context;
	struct fold *fold; /* loading; the bench's services are added to it */
	struct registry *registry;
	struct task_table *tasks;
	struct contents_port values;
	struct call_contents contents;
	/* Makes durable what was submitted, if it can be; done functions may run. */
	void (*settle)(void *context);
	/* The wall clock goes on. */
	void (*pass)(void *context, int64_t ms);
	/* The law, before the server sees the request: aborts where it is broken. */
	void (*check)(void *check_context, const struct upstream_request *request);
	void *check_context;
};

struct call_bench {
	struct call_filling filling;
	/* Of the log in memory only: */
	struct decide_bench world;
	struct fake_log log;
	bool sent_on[FAKE_LOG_ENTRIES_MAX];  /* decisions a request was sent on */
	char used[FAKE_LOG_ENTRIES_MAX][32]; /* approvals of those decisions */
	bool digest_fails;
	bool seal_fails;
	bool attach_fails;
	/* Of every filling: */
	bool is_log_held; /* nothing becomes durable until call_bench_flush */
	struct arena *scratch;
	struct arena *law;
	/* Torture spares the bench's own work: called before and after it. */
	void (*on_own_work)(bool begins);
	struct loop *loop;
	struct fold *fold;
	struct decide_service *decide;
	struct approve *approve;
	struct call_service *call;
	int64_t now_ms; /* monotonic, for call_tick */
	/* The server. */
	enum fault prepare_fault;
	enum fault start_fault;
	bool is_prepare_pending;
	struct upstream_ready ready;
	const struct upstream_request *request; /* pending, or NULL */
	unsigned prepared;
	unsigned started;
	unsigned cancelled;
	/* What the server was answered to what it asked. */
	enum fault respond_fault;
	bool is_not_able; /* clients declare nothing */
	bool is_redacted; /* what a client gets is not what was decided: secrets are taken out */
	enum upstream_objection objection; /* to the last that was refused at once */
	unsigned responses;
	uint64_t question;  /* the last that was asked */
	uint64_t responded; /* number of the last that was answered */
	bool was_responded[CALL_BENCH_REQUESTS_MAX];
	char response[2048]; /* "result {...}", "error {...}" or "refusal ..." */
	/* The last answer to approve_answer or call_kill_submit. */
	unsigned answers;
	bool is_answer_ok;
};

void call_bench_init(struct call_bench *bench, int64_t hold_ms);
void call_bench_deinit(struct call_bench *bench);
/* For fillings: the loop and memory; the services on a filling (then load its
 * state and finish loading); and the reverse of both.  A block of memory that
 * takes no more of the system for a while. */
void call_bench_open(struct call_bench *bench);
void call_bench_attach(
	struct call_bench *bench, const struct call_filling *filling, int64_t hold_ms);
void call_bench_detach(struct call_bench *bench);
void call_bench_close(struct call_bench *bench);
struct arena *call_bench_arena(void);
/* Around what a test does for itself: see on_own_work. */
void call_bench_own_work(const struct call_bench *bench, bool begins);

/* Runs what was posted; the log becomes durable meanwhile, unless it is held. */
void call_bench_pump(struct call_bench *bench);
/* Lets the log do what it holds, and runs what follows. */
void call_bench_flush(struct call_bench *bench);
/* Time passes for deadlines. */
void call_bench_wait(struct call_bench *bench, int64_t ms);

/* Starts files/TOOL for task t-1.  False if it was not taken. */
bool call_bench_start(struct call_bench *bench, struct bench_client *client, const char *tool,
	const char *arguments);
bool call_bench_start_method(struct call_bench *bench, struct bench_client *client,
	const char *task, const char *method, const char *params);
void call_bench_abort(struct bench_client *client);

void call_bench_ready(struct call_bench *bench, bool is_ready);
void call_bench_notice(struct call_bench *bench);
/* result as JSON; NULL: the server failed. */
void call_bench_answer(struct call_bench *bench, const char *result);

/* What the person signs about the approval as it is, in scratch. */
struct answer_proof call_bench_proof(
	struct call_bench *bench, const char *id, const char *person, enum answer_verb verb);
bool call_bench_approve(struct call_bench *bench, const char *id, const char *person, bool is_yes);
bool call_bench_kill(struct call_bench *bench, const char *identity, const char *task);

/* The server asks something of the client, in the pending request or (is_within false) in
 * none.  False: it was refused at once. */
bool call_bench_server_asks(
	struct call_bench *bench, const char *method, const char *params, bool is_within);
/* The client answers with a result.  False: nobody waited. */
bool call_bench_client_answers(
	struct call_bench *bench, struct bench_client *client, uint64_t number, const char *result);

/* Durable records of a type; and the last of them as text ("" if none). */
unsigned call_bench_records(const struct call_bench *bench, const char *type);
const char *call_bench_last(const struct call_bench *bench, const char *type);

#endif
