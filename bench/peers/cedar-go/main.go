// The module cedar-go as a peer of build/bench/cedar.  Usage: peer FOLDER
//
// The protocol is in bench/peers/README.md.  Timed: uids from texts, the request
// around a context made before, Authorize.  This version has no templates.
package main

import (
	cedar "github.com/cedar-policy/cedar-go"

	"remit/bench/protocol"
)

// What a call gives; read after the clock stopped.
type result struct {
	decision   cedar.Decision
	diagnostic cedar.Diagnostic
}

func actionUID(id string) cedar.EntityUID {
	return cedar.NewEntityUID("Action", cedar.String(id))
}

func load(text []byte) (entities cedar.EntityMap) {
	protocol.Must(entities.UnmarshalJSON(text))
	return entities
}

func open(peer protocol.Peer, app, name string) func(*protocol.Request) result {
	text := peer.Read("apps", app, "policies.cedar")
	policies, err := cedar.NewPolicySetFromBytes(app, text)
	protocol.Must(err)
	entities := load(peer.Read("workloads", app, name, "entities.json"))
	for id, groups := range peer.Actions(app) {
		var parents []cedar.EntityUID
		for _, group := range groups {
			parents = append(parents, actionUID(group))
		}
		uid := actionUID(id)
		entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(parents...)}
	}
	context := cedar.NewRecord(nil)
	return func(texts *protocol.Request) (out result) {
		request := cedar.Request{
			Principal: cedar.NewEntityUID(cedar.EntityType(texts[0]), cedar.String(texts[1])),
			Action:    actionUID(texts[2]),
			Resource:  cedar.NewEntityUID(cedar.EntityType(texts[3]), cedar.String(texts[4])),
			Context:   context,
		}
		out.decision, out.diagnostic = cedar.Authorize(policies, entities, request)
		return out
	}
}

func answer(got result) (out protocol.Answer) {
	out.Allow = got.decision == cedar.Allow
	for _, reason := range got.diagnostic.Reasons {
		out.Reasons = append(out.Reasons, string(reason.PolicyID))
	}
	for _, failed := range got.diagnostic.Errors {
		out.Errors = append(out.Errors, string(failed.PolicyID))
	}
	return out
}

func main() {
	peer := protocol.Open("cedar-go", "github.com/cedar-policy/cedar-go")
	for _, app := range peer.NamesBelow("workloads") {
		if peer.HasTemplates(app) {
			peer.Remark(app, "skipped", "it has no templates")
			continue
		}
		protocol.RunApp(peer, app, func(app, name string) func(*protocol.Request) result {
			return open(peer, app, name)
		}, answer)
		peer.RunLoading(app, func(text []byte) { load(text) })
	}
}
