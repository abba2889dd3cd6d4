#ifndef BENCH_HOSPITAL_H
#define BENCH_HOSPITAL_H

#include <stdbool.h>
#include <stdint.h>

/* A hospital of many departments: 33 policies for each and 5 for all.  In each, 9
 * roles, 10 resources of 10 types, 2 teams and 5 people, one in twenty of whom also
 * has a role in another department. */
enum {
	HOSPITAL_REQUESTS = 500,
	HOSPITAL_POLICIES_OF_DEPARTMENT = 33,
	HOSPITAL_POLICIES_OF_ALL = 5
};

/* Writes one below root in the shape of the published workloads: apps/APP with
 * policies and schema, workloads/APP/n01-s0 with entities, requests and the answers
 * that this engine gives (a peer that differs is found by them).  root has apps/ and
 * workloads/. */
bool hospital_write(const char *root, const char *app, uint32_t departments);

#endif
