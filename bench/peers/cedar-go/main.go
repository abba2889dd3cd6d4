// The module cedar-go as a peer of build/bench/cedar.  Usage: cedar-go FOLDER
//
// The protocol is in bench/peers/README.md.  Timed: uids from texts, the request
// around a context made before, Authorize.  This version has no templates.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
)

const (
	rounds   = 3
	batchMax = 64
	batchNS  = 100000
	loads    = 9
	module   = "github.com/cedar-policy/cedar-go"
)

type workload struct {
	policies *cedar.PolicySet
	entities cedar.EntityMap
	requests [][5]string
	expected []expectation
}

type expectation struct {
	allow           int
	reasons, errors []string
}

func (e *expectation) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&e.allow, &e.reasons, &e.errors})
}

// What an answer is written to, so that no call is optimized away.
type answer struct {
	decision   cedar.Decision
	diagnostic cedar.Diagnostic
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cedar-go:", err)
		os.Exit(1)
	}
}

func read(parts ...string) []byte {
	text, err := os.ReadFile(filepath.Join(parts...))
	must(err)
	return text
}

func namesBelow(parts ...string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(parts...))
	must(err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}

// The actions of a schema, with their groups.
func addActions(entities cedar.EntityMap, schema []byte) {
	var spaces map[string]struct {
		Actions map[string]struct {
			MemberOf []struct{ ID string }
		}
	}
	must(json.Unmarshal(schema, &spaces))
	for name, action := range spaces[""].Actions {
		var groups []cedar.EntityUID
		for _, group := range action.MemberOf {
			groups = append(groups, cedar.NewEntityUID("Action", cedar.String(group.ID)))
		}
		uid := cedar.NewEntityUID("Action", cedar.String(name))
		entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(groups...)}
	}
}

func open(root, app, name string) (w workload) {
	var err error
	folder := filepath.Join(root, "workloads", app, name)
	w.policies, err = cedar.NewPolicySetFromBytes(app, read(root, "apps", app, "policies.cedar"))
	must(err)
	must(json.Unmarshal(read(folder, "entities.json"), &w.entities))
	addActions(w.entities, read(root, "apps", app, app+".cedarschema.json"))
	must(json.Unmarshal(read(folder, "requests.json"), &w.requests))
	must(json.Unmarshal(read(folder, "expected.json"), &w.expected))
	return w
}

func (w *workload) decide(texts *[5]string, context cedar.Record) (out answer) {
	request := cedar.Request{
		Principal: cedar.NewEntityUID(cedar.EntityType(texts[0]), cedar.String(texts[1])),
		Action:    cedar.NewEntityUID("Action", cedar.String(texts[2])),
		Resource:  cedar.NewEntityUID(cedar.EntityType(texts[3]), cedar.String(texts[4])),
		Context:   context,
	}
	out.decision, out.diagnostic = cedar.Authorize(w.policies, w.entities, request)
	return out
}

func (w *workload) check(context cedar.Record) error {
	for i := range w.requests {
		got, expected := w.decide(&w.requests[i], context), &w.expected[i]
		var reasons []string
		for _, reason := range got.diagnostic.Reasons {
			reasons = append(reasons, string(reason.PolicyID))
		}
		slices.Sort(reasons)
		if (got.decision == cedar.Allow) != (expected.allow == 1) ||
			!slices.Equal(reasons, expected.reasons) ||
			len(got.diagnostic.Errors) != len(expected.errors) {
			return fmt.Errorf("request %d: not the expected answer", i)
		}
	}
	return nil
}

// Nanoseconds of one call.
func timeCalls(answers []answer, call func() answer) float64 {
	begun := time.Now()
	for i := range answers {
		answers[i] = call()
	}
	return float64(time.Since(begun).Nanoseconds()) / float64(len(answers))
}

func timeRequest(answers []answer, call func() answer) float64 {
	warm, best := math.MaxFloat64, math.MaxFloat64
	for range rounds {
		warm = min(warm, timeCalls(answers[:1], call))
	}
	batch := max(1, min(int(batchNS/max(warm, 1)), len(answers)))
	for range rounds {
		best = min(best, timeCalls(answers[:batch], call))
	}
	return best
}

func quantile(times []float64, percent int) float64 {
	slices.Sort(times)
	return times[len(times)*percent/100]
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}

func print(title string, p50, p99 float64) {
	fmt.Printf("{\"peer\":\"cedar-go %s (%s)\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f}\n",
		version(), runtime.Version(), title, p50, p99)
}

func runApp(root, app string) {
	var p50, p99 []float64
	context := cedar.NewRecord(nil)
	answers := make([]answer, batchMax)
	for _, name := range namesBelow(root, "workloads", app) {
		w := open(root, app, name)
		if err := w.check(context); err != nil {
			must(fmt.Errorf("%s %s: %w", app, name, err))
		}
		var times []float64
		for i := range w.requests {
			texts := &w.requests[i]
			times = append(times,
				timeRequest(answers, func() answer { return w.decide(texts, context) }))
		}
		p50 = append(p50, quantile(times, 50))
		p99 = append(p99, quantile(times, 99))
	}
	print(app, quantile(p50, 50), quantile(p99, 50))
}

// The last workload in order of name is the largest.
func runLoading(root, app string) {
	var times []float64
	names := namesBelow(root, "workloads", app)
	text := read(root, "workloads", app, names[len(names)-1], "entities.json")
	for range loads {
		var entities cedar.EntityMap
		begun := time.Now()
		must(entities.UnmarshalJSON(text))
		times = append(times, float64(time.Since(begun).Nanoseconds()))
	}
	print("load entities JSON, "+app, quantile(times, 50), quantile(times, 99))
}

func main() {
	if len(os.Args) != 2 {
		must(fmt.Errorf("usage: cedar-go FOLDER"))
	}
	runtime.GOMAXPROCS(1)
	for _, app := range namesBelow(os.Args[1], "workloads") {
		names := namesBelow(os.Args[1], "workloads", app)
		if _, err := os.Stat(filepath.Join(os.Args[1], "workloads", app, names[0], "links.json")); err == nil {
			continue
		}
		runApp(os.Args[1], app)
		runLoading(os.Args[1], app)
	}
}
