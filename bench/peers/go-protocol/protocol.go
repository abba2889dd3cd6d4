// Package protocol is what the peers written in Go share: reading workloads, timing
// requests and printing, as bench/peers/README.md says.
package protocol

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
)

const (
	rounds   = 3
	batchNS  = 100000
	batchMax = 64
	loads    = 9
	// Of an app whose first call is slower than slowNS, one request in slowStep is timed.
	slowNS   = 1000000
	slowStep = 25
)

// Request is the types and ids of principal, action and resource (an action has no type).
type Request [5]string

// Answer is a decision with the ids of its reasons, and of the policies that failed.
type Answer struct {
	Allow           bool
	Reasons, Errors []string
}

// UnmarshalJSON reads [allow, reasons, errors].
func (a *Answer) UnmarshalJSON(text []byte) error {
	var allow int
	err := json.Unmarshal(text, &[]any{&allow, &a.Reasons, &a.Errors})
	a.Allow = allow == 1
	return err
}

// Peer is one engine under measurement.
type Peer struct {
	Root, Name, Module string
}

// Must ends the program at an error.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// Open takes the folder from the command line and keeps the program to one thread.
func Open(name, module string) Peer {
	if len(os.Args) != 2 {
		Must(fmt.Errorf("usage: %s FOLDER", name))
	}
	runtime.GOMAXPROCS(1)
	return Peer{Root: os.Args[1], Name: name, Module: module}
}

// Read gives a file below the folder.
func (p Peer) Read(parts ...string) []byte {
	text, err := os.ReadFile(filepath.Join(append([]string{p.Root}, parts...)...))
	Must(err)
	return text
}

// ReadJSON reads a file below the folder into out.
func (p Peer) ReadJSON(out any, parts ...string) {
	Must(json.Unmarshal(p.Read(parts...), out))
}

// NamesBelow gives the names in a folder, in order.
func (p Peer) NamesBelow(parts ...string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(append([]string{p.Root}, parts...)...))
	Must(err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}

// HasTemplates is true for the apps whose policies are links.
func (p Peer) HasTemplates(app string) bool {
	name := p.NamesBelow("workloads", app)[0]
	return slices.Contains(p.NamesBelow("workloads", app, name), "links.json")
}

// Actions gives those of an app's schema, each with its groups.
func (p Peer) Actions(app string) map[string][]string {
	var schema map[string]struct {
		Actions map[string]struct {
			MemberOf []struct{ ID string }
		}
	}
	p.ReadJSON(&schema, "apps", app, app+".cedarschema.json")
	actions := map[string][]string{}
	for name, action := range schema[""].Actions {
		actions[name] = []string{}
		for _, group := range action.MemberOf {
			actions[name] = append(actions[name], group.ID)
		}
	}
	return actions
}

// Nanoseconds of one call, the best of the rounds.
func timeBest[T any](answers []T, call func() T) float64 {
	best := math.MaxFloat64
	for range rounds {
		begun := time.Now()
		for i := range answers {
			answers[i] = call()
		}
		best = min(best, float64(time.Since(begun).Nanoseconds())/float64(len(answers)))
	}
	return best
}

func timeRequest[T any](answers []T, call func() T) float64 {
	fitting := int(batchNS / max(1, timeBest(answers[:1], call)))
	return timeBest(answers[:max(1, min(fitting, len(answers)))], call)
}

func quantile(times []float64, percent int) float64 {
	slices.Sort(times)
	return times[len(times)*percent/100]
}

func check[T any](requests []Request, expected []Answer, decide func(*Request) T,
	answer func(T) Answer) error {
	for i := range requests {
		got := answer(decide(&requests[i]))
		slices.Sort(got.Reasons)
		if got.Allow != expected[i].Allow || !slices.Equal(got.Reasons, expected[i].Reasons) ||
			len(got.Errors) != len(expected[i].Errors) {
			return fmt.Errorf("request %d: got %v", i, got)
		}
	}
	return nil
}

// RunApp checks and times the workloads of an app and prints the medians over them.
// open makes of one (app, name) what decides; answer reads its result, untimed.
func RunApp[T any](p Peer, app string, open func(app, name string) func(*Request) T,
	answer func(T) Answer) {
	var p50, p99 []float64
	answers := make([]T, batchMax)
	for _, name := range p.NamesBelow("workloads", app) {
		var requests []Request
		var expected []Answer
		var times []float64
		p.ReadJSON(&requests, "workloads", app, name, "requests.json")
		p.ReadJSON(&expected, "workloads", app, name, "expected.json")
		decide := open(app, name)
		if err := check(requests, expected, decide, answer); err != nil {
			Must(fmt.Errorf("%s %s: %w", app, name, err))
		}
		step := 1
		if timeBest(answers[:1], func() T { return decide(&requests[0]) }) > slowNS {
			step = slowStep
		}
		for i := 0; i < len(requests); i += step {
			times = append(times,
				timeRequest(answers, func() T { return decide(&requests[i]) }))
		}
		p50 = append(p50, quantile(times, 50))
		p99 = append(p99, quantile(times, 99))
	}
	p.print(app, quantile(p50, 50), quantile(p99, 50))
}

// RunLoading times the loading of an app's largest world, whose name is the last.
func (p Peer) RunLoading(app string, load func(text []byte)) {
	var times []float64
	names := p.NamesBelow("workloads", app)
	text := p.Read("workloads", app, names[len(names)-1], "entities.json")
	for range loads {
		begun := time.Now()
		load(text)
		times = append(times, float64(time.Since(begun).Nanoseconds()))
	}
	p.print("load entities JSON, "+app, quantile(times, 50), quantile(times, 99))
}

func (p Peer) engine() string {
	info, _ := debug.ReadBuildInfo()
	version := "unknown"
	for _, dependency := range info.Deps {
		if dependency.Path == p.Module {
			version = dependency.Version
		}
	}
	return fmt.Sprintf("%s %s (%s)", p.Name, version, runtime.Version())
}

func (p Peer) print(title string, p50, p99 float64) {
	fmt.Printf("{\"peer\":%q,\"case\":%q,\"p50_ns\":%.0f,\"p99_ns\":%.0f}\n",
		p.engine(), title, p50, p99)
}

// Remark prints what stands instead of figures: word is "skipped" or "note".
func (p Peer) Remark(title, word, text string) {
	fmt.Printf("{\"peer\":%q,\"case\":%q,%q:%q}\n", p.engine(), title, word, text)
}
