#ifndef MAIN_NOTICES_H
#define MAIN_NOTICES_H

#include "base/error.h"
#include "edges/mcp/mcp_door.h"
#include "edges/webhook/webhook.h"
#include "services/approve/break_glass.h"
#include "services/review/review.h"

/* Joins approvals and findings to those who are told of them: the webhook, and of approvals the
 * streams of agents whose clients were given a URL. */
struct notices;

/* All borrowed; they outlive it. */
struct notices_parts {
	struct loop *loop;
	struct http_client *http;
	struct fold *fold;
	struct approve *approve;
	const struct secrets *secrets;
	const char *url;    /* NULL: no webhook */
	const char *secret; /* a reference */
	struct text installation;
	struct finding_service *findings;
};

/* Errors: LIMIT, and those of webhook_create. */
bool notices_create(
	struct notices **out, const struct notices_parts *parts, struct error *err) MUST_CHECK;
void notices_destroy(struct notices **notices);

/* Once the doors are there, and the address people reach: tells of what waits already, and of
 * findings younger than an hour, under the ids they were told by before. */
void notices_start(struct notices *notices, struct mcp_door *door, struct text base_url);

/* What happened to a review, under an id that is the same whenever it is told. */
void notices_tell_review(struct notices *notices, const struct review_notice *review);

#endif
