// SAPL's embedded decision point, as a peer of build/bench/cedar.  Usage: java Peer FOLDER
//
// The protocol is in bench/peers/README.md.  The policies were ported by hand; entities, and
// the ancestors of each, computed before, are variables of the configuration.  Timed: the
// subscription from texts, decide and its first decision.  SAPL says which policies decided
// only when traced, so decisions alone are compared.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sapl.api.interpreter.Val;
import io.sapl.api.pdp.AuthorizationSubscription;
import io.sapl.api.pdp.Decision;
import io.sapl.api.pdp.PolicyDecisionPoint;
import io.sapl.interpreter.combinators.PolicyDocumentCombiningAlgorithm;
import io.sapl.pdp.PolicyDecisionPointFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

public final class Peer {
	private static final int ROUNDS = 3;
	private static final double BATCH_NS = 100_000;
	private static final int BATCH_MAX = 64;
	private static final int WARM_CALLS = 20_000; // until the compiler of the JVM is done
	private static final double SLOW_NS = 1_000_000;
	private static final int SLOW_STEP = 25;
	private static final String VERSION = "sapl-pdp-embedded 3.0.0";
	private static final ObjectMapper MAPPER = new ObjectMapper();

	private final Path root;
	private final Path policies;

	private Peer(Path root, Path policies) {
		this.root = root;
		this.policies = policies;
	}

	private interface Call {
		Decision decide();
	}

	private static JsonNode read(Path path) throws IOException {
		return MAPPER.readTree(path.toFile());
	}

	private static List<String> namesBelow(Path folder) throws IOException {
		try (var entries = Files.list(folder)) {
			return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
		}
	}

	private static String keyOf(JsonNode uid) {
		JsonNode inner = uid.has("__entity") ? uid.get("__entity") : uid;
		return inner.get("type").asText() + "::" + inner.get("id").asText();
	}

	// The same with "Type::id" for entities.
	private static JsonNode plain(JsonNode value) {
		if (value.isArray()) {
			var items = JsonNodeFactory.instance.arrayNode();
			value.forEach(item -> items.add(plain(item)));
			return items;
		}
		if (!value.isObject())
			return value;
		if (value.has("__entity"))
			return JsonNodeFactory.instance.textNode(keyOf(value));
		var members = JsonNodeFactory.instance.objectNode();
		value.fields().forEachRemaining(member -> members.set(member.getKey(),
				plain(member.getValue())));
		return members;
	}

	private static void addAncestors(ObjectNode into, Map<String, Set<String>> parents, String of) {
		for (String parent : parents.getOrDefault(of, Set.of())) {
			if (into.has(parent))
				continue;
			into.put(parent, true);
			addAncestors(into, parents, parent);
		}
	}

	private void addActions(Map<String, Set<String>> parents, String app) throws IOException {
		JsonNode schema = read(root.resolve("apps").resolve(app).resolve(app + ".cedarschema.json"));

		schema.get("").get("actions").fields().forEachRemaining(action -> {
			Set<String> groups = new LinkedHashSet<>();
			JsonNode memberOf = action.getValue().get("memberOf");

			if (memberOf != null)
				memberOf.forEach(group -> groups.add("Action::" + group.get("id").asText()));
			parents.put("Action::" + action.getKey(), groups);
		});
	}

	private Map<String, Val> variablesOf(String app, Path workload) throws IOException {
		Map<String, Set<String>> parents = new HashMap<>();
		ObjectNode entities = JsonNodeFactory.instance.objectNode();
		ObjectNode ancestors = JsonNodeFactory.instance.objectNode();

		addActions(parents, app);
		for (JsonNode entity : read(workload.resolve("entities.json"))) {
			Set<String> above = new LinkedHashSet<>();

			entity.get("parents").forEach(parent -> above.add(keyOf(parent)));
			parents.put(keyOf(entity.get("uid")), above);
			entities.set(keyOf(entity.get("uid")), plain(entity.get("attrs")));
		}
		for (String key : parents.keySet())
			addAncestors(ancestors.putObject(key), parents, key);
		return Map.of("entities", Val.of(entities), "ancestors", Val.of(ancestors));
	}

	private List<String> documentsOf(String app) throws IOException {
		List<String> documents = new ArrayList<>();

		for (String name : namesBelow(policies.resolve(app)))
			documents.add(Files.readString(policies.resolve(app).resolve(name)));
		return documents;
	}

	private static Decision decide(PolicyDecisionPoint point, JsonNode request) {
		return point.decide(AuthorizationSubscription.of(
				request.get(0).asText() + "::" + request.get(1).asText(),
				"Action::" + request.get(2).asText(),
				request.get(3).asText() + "::" + request.get(4).asText(), MAPPER))
				.blockFirst().getDecision();
	}

	private static double timeBest(Decision[] answers, int count, Call call) {
		double best = Double.MAX_VALUE;

		for (int round = 0; round < ROUNDS; round++) {
			long begun = System.nanoTime();

			for (int i = 0; i < count; i++)
				answers[i] = call.decide();
			best = Math.min(best, (double) (System.nanoTime() - begun) / count);
		}
		return best;
	}

	private static double timeRequest(Decision[] answers, Call call) {
		int fitting = (int) (BATCH_NS / Math.max(1, timeBest(answers, 1, call)));

		return timeBest(answers, Math.max(1, Math.min(fitting, answers.length)), call);
	}

	private static double quantile(List<Double> times, int percent) {
		double[] sorted = times.stream().mapToDouble(Double::doubleValue).toArray();

		Arrays.sort(sorted);
		return sorted[sorted.length * percent / 100];
	}

	private static void check(PolicyDecisionPoint point, String of, JsonNode requests,
			JsonNode expected) {
		for (int i = 0; i < requests.size(); i++) {
			boolean allows = decide(point, requests.get(i)) == Decision.PERMIT;

			if (allows != (expected.get(i).get(0).asInt() == 1))
				throw new IllegalStateException(of + " request " + i + ": got " + allows);
		}
	}

	private static void warm(PolicyDecisionPoint point, JsonNode requests) {
		for (int i = 0; i < WARM_CALLS; i++)
			decide(point, requests.get(i % requests.size()));
	}

	private static List<Double> timeAll(PolicyDecisionPoint point, JsonNode requests) {
		Decision[] answers = new Decision[BATCH_MAX];
		List<Double> times = new ArrayList<>();
		boolean slow = timeBest(answers, 1, () -> decide(point, requests.get(0))) > SLOW_NS;

		for (int i = 0; i < requests.size(); i += slow ? SLOW_STEP : 1) {
			JsonNode request = requests.get(i);

			times.add(timeRequest(answers, () -> decide(point, request)));
		}
		return times;
	}

	private void runApp(String app) throws Exception {
		List<Double> p50 = new ArrayList<>(), p99 = new ArrayList<>();

		for (String name : namesBelow(root.resolve("workloads").resolve(app))) {
			Path workload = root.resolve("workloads").resolve(app).resolve(name);
			JsonNode requests = read(workload.resolve("requests.json"));
			var point = PolicyDecisionPointFactory.fixedInRamPolicyDecisionPoint(documentsOf(app),
					PolicyDocumentCombiningAlgorithm.DENY_UNLESS_PERMIT,
					variablesOf(app, workload));

			check(point, app + " " + name, requests, read(workload.resolve("expected.json")));
			if (p50.isEmpty())
				warm(point, requests);
			List<Double> times = timeAll(point, requests);
			p50.add(quantile(times, 50));
			p99.add(quantile(times, 99));
			point.destroy();
		}
		print(app, String.format("\"p50_ns\":%.0f,\"p99_ns\":%.0f", quantile(p50, 50),
				quantile(p99, 50)));
	}

	private static void print(String title, String rest) {
		System.out.printf("{\"peer\":\"%s (java %s)\",\"case\":\"%s\",%s}%n", VERSION,
				System.getProperty("java.version"), title, rest);
	}

	public static void main(String[] arguments) throws Exception {
		if (arguments.length != 2) {
			System.err.println("usage: Peer POLICIES FOLDER");
			System.exit(2);
		}
		Peer peer = new Peer(Path.of(arguments[1]), Path.of(arguments[0]));

		print("what is timed", "\"note\":\"policies ported by hand, ancestors computed before; "
				+ "decisions alone compared\"");
		for (String app : namesBelow(peer.root.resolve("workloads"))) {
			if (Files.isDirectory(peer.policies.resolve(app)))
				peer.runApp(app);
			else
				print(app, "\"skipped\":\"not ported\"");
		}
	}
}
