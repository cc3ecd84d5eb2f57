// Package functions_test keeps the functions, their events and the template in step.
package functions_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// template is template.yaml as far as the tests look at it. CloudFormation's short forms (!Ref X, !GetAtt X.Arn)
// are read as the strings behind their tags.
type template struct {
	Resources map[string]struct {
		Type       string         `yaml:"Type"`
		Properties map[string]any `yaml:"Properties"`
	} `yaml:"Resources"`
}

func read(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	dropTags(&root)
	var out template
	if err := root.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func dropTags(n *yaml.Node) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		n.Tag = ""
	}
	for _, child := range n.Content {
		dropTags(child)
	}
}

// folders are the functions' names, as their folders say.
func folders(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatal("no functions", err)
	}
	var names []string
	for _, m := range mains {
		names = append(names, filepath.Dir(m))
	}
	return names
}

func logical(folder string) string {
	return strings.ToUpper(folder[:1]) + folder[1:] + "Function"
}

func TestEachFolderIsAFunctionOfTheTemplateAndBack(t *testing.T) {
	var want, got []string
	for _, folder := range folders(t) {
		want = append(want, logical(folder))
	}
	for name, r := range read(t).Resources {
		if r.Type == "AWS::Serverless::Function" {
			got = append(got, name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("folders are %v, the template has %v", want, got)
	}
}

func TestEachFunctionHasEventsAndEachEventAFunction(t *testing.T) {
	names := folders(t)
	files, _ := filepath.Glob("../events/*.json")
	has := map[string]bool{}
	for _, file := range files {
		name, _, ok := strings.Cut(filepath.Base(file), "-")
		if !ok || !slices.Contains(names, name) {
			t.Errorf("%s names no function", file)
		}
		has[name] = true
		text, err := os.ReadFile(file) // #nosec G304 -- a test's own files
		if err != nil || !json.Valid(text) {
			t.Errorf("%s is not JSON, %v", file, err)
		}
	}
	for _, name := range names {
		if !has[name] {
			t.Errorf("events/%s-….json is missing", name)
		}
	}
}

var environment = regexp.MustCompile(`(?:cloud\.Env|cloud\.Number|table)\("([A-Z_]+)"\)`)

func TestTheTemplateSetsEveryVariableThatAFunctionNeeds(t *testing.T) {
	resources := read(t).Resources
	for _, folder := range folders(t) {
		source, err := os.ReadFile(filepath.Join(folder, "main.go")) // #nosec G304 -- a test's own files
		if err != nil {
			t.Fatal(err)
		}
		variables := dig(resources[logical(folder)].Properties, "Environment", "Variables")
		for _, match := range environment.FindAllStringSubmatch(string(source), -1) {
			if _, set := variables[match[1]]; !set {
				t.Errorf("%s needs %s, and the template does not set it", folder, match[1])
			}
		}
	}
}

// givenUp is the queue of deliveries whose schedule is used up. Merchants' servers that are down fill it, and no operator has
// to do anything about one of them: its alarm counts what comes, and SQS moves nothing there.
const givenUp = "DeliveriesDeadLetters"

func TestEveryAsynchronousPathHasDeadLettersAnAlarmAndPartialAnswers(t *testing.T) {
	resources := read(t).Resources
	alarmed := map[string]bool{} // "QueueName value/metric"
	for _, r := range resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		for _, d := range r.Properties["Dimensions"].([]any) {
			alarmed[d.(map[string]any)["Value"].(string)+"/"+r.Properties["MetricName"].(string)] = true
		}
	}
	for name, r := range resources {
		switch r.Type {
		case "AWS::SQS::Queue":
			if strings.HasSuffix(name, "DeadLetters") {
				metric := "ApproximateNumberOfMessagesVisible"
				if name == givenUp {
					metric = "NumberOfMessagesSent"
				}
				if !alarmed[name+".QueueName/"+metric] {
					t.Errorf("%s has no alarm", name)
				}
				continue
			}
			target := strings.TrimSuffix(name, "Queue") + "DeadLetters"
			if target == givenUp {
				target = "DeliverDeadLetters"
			}
			if dig(r.Properties, "RedrivePolicy")["deadLetterTargetArn"] != target+".Arn" {
				t.Errorf("%s has no dead letters of its own", name)
			}
			if !alarmed[name+".QueueName/ApproximateAgeOfOldestMessage"] {
				t.Errorf("%s has no alarm on its age", name)
			}
		case "AWS::Serverless::Function":
			for event, e := range dig(r.Properties, "Events") {
				e := e.(map[string]any)
				properties := e["Properties"].(map[string]any)
				switch e["Type"] {
				case "SQS", "DynamoDB":
					if answers, _ := properties["FunctionResponseTypes"].([]any); !slices.Contains(answers, any("ReportBatchItemFailures")) {
						t.Errorf("%s.%s does not answer in parts", name, event)
					}
					if e["Type"] == "DynamoDB" && (dig(properties, "DestinationConfig", "OnFailure")["Destination"] == nil || !alarmed[name+"/IteratorAge"]) {
						t.Errorf("%s.%s has no destination for failures or no alarm on its age", name, event)
					}
				case "ScheduleV2":
					if dig(properties, "DeadLetterConfig")["Arn"] == nil {
						t.Errorf("%s.%s has no dead letters", name, event)
					}
				}
			}
		}
	}
}

func TestEachFunctionHasARoleOfItsOwnWithoutWildcards(t *testing.T) {
	resources := read(t).Resources
	// Actions that AWS offers on "*" only.
	everywhere := []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams"}
	used := map[string]string{}
	for name, r := range resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		role := strings.TrimSuffix(r.Properties["Role"].(string), ".Arn")
		if used[role] != "" {
			t.Errorf("%s and %s share %s", name, used[role], role)
		}
		used[role] = name
		for _, policy := range resources[role].Properties["Policies"].([]any) {
			for _, statement := range statements(dig(policy.(map[string]any), "PolicyDocument")["Statement"]) {
				for _, action := range statement["Action"].([]any) {
					if strings.Contains(action.(string), "*") {
						t.Errorf("%s may %s", role, action)
					}
					if statement["Resource"] == "*" && !slices.Contains(everywhere, action.(string)) {
						t.Errorf("%s may %s on everything", role, action)
					}
				}
			}
		}
	}
}

// Lambda stops a function that has come round to itself by way of SQS some sixteen times, unless it says that it means to
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
func TestAFunctionThatSendsToAQueueThatTriggersItSaysThatItMeansTo(t *testing.T) {
	resources := read(t).Resources
	triggers, sends := map[string][]string{}, map[string][]string{} // functions by queue, queues by function
	for name, r := range resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		for _, e := range dig(r.Properties, "Events") {
			if e := e.(map[string]any); e["Type"] == "SQS" {
				queue := e["Properties"].(map[string]any)["Queue"].(string)
				triggers[queue] = append(triggers[queue], name)
			}
		}
		role := strings.TrimSuffix(r.Properties["Role"].(string), ".Arn")
		for _, policy := range resources[role].Properties["Policies"].([]any) {
			for _, statement := range statements(dig(policy.(map[string]any), "PolicyDocument")["Statement"]) {
				if slices.Contains(statement["Action"].([]any), any("sqs:SendMessage")) {
					sends[name] = append(sends[name], texts(statement["Resource"])...)
				}
			}
		}
	}
	looping := 0
	for name, r := range resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		var reached []string
		for open := []string{name}; len(open) > 0; open = open[1:] {
			for _, queue := range sends[open[0]] {
				for _, next := range triggers[queue] {
					if !slices.Contains(reached, next) {
						reached, open = append(reached, next), append(open, next)
					}
				}
			}
		}
		if slices.Contains(reached, name) {
			looping++
		}
		if says := r.Properties["RecursiveLoop"] == "Allow"; says != slices.Contains(reached, name) {
			t.Errorf("%s: RecursiveLoop is %v, and its messages lead to %v", name, r.Properties["RecursiveLoop"], reached)
		}
	}
	if looping == 0 {
		t.Error("no function leads to itself: the test does not see what the template says")
	}
}

// texts are the names in a text or a list of them, however deep an !If makes it.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, texts(one)...)
		}
		return all
	default:
		return nil
	}
}

// The API alone seals and opens for everyone: whoever else may decrypt says whose secrets in the context that KMS checks.
func TestWhoOpensSecretsOpensThoseOfItsOwnKind(t *testing.T) {
	owners := map[string]string{
		"ReceiveRole": "connection", "InterpretRole": "connection", "RegisterRole": "credential", "DeliverRole": "endpoint", "ApproveRole": "answer", "ApiFunctionRole": "",
	}
	opens := map[string]bool{}
	for role, r := range read(t).Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		for _, statement := range statements(r.Properties["Policies"].([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"]) {
			if !slices.Contains(statement["Action"].([]any), any("kms:Decrypt")) {
				continue
			}
			opens[role] = true
			owner, known := owners[role]
			like, equal := dig(statement, "Condition", "StringLike"), dig(statement, "Condition", "StringEquals")
			if !known || owner != "" && like["kms:EncryptionContext:"+owner] == nil && equal["kms:EncryptionContext:"+owner] == nil {
				t.Errorf("%s may open what is sealed for anyone", role)
			}
		}
	}
	if len(opens) != len(owners) {
		t.Errorf("those that open are %v", opens)
	}
}

// statements are those of a policy, with both branches of an !If, which is read as the list [condition, then, else].
func statements(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var all []map[string]any
		for _, one := range v {
			all = append(all, statements(one)...)
		}
		return all
	default:
		return nil
	}
}

func dig(m map[string]any, path ...string) map[string]any {
	for _, p := range path {
		m, _ = m[p].(map[string]any)
	}
	return m
}
