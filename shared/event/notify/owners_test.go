package notify

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	lambda "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

const troubled = "ep_01KAJ5N3X5Y7Z9A2B4C6D8E0FG" // of the files in events/

// topic is a real topic with a queue behind it that a merchant's filter lets nothing pass but its own; the owners' calls
// are the room's.
func (r *room) topic(t *testing.T, filter string) queue.Queue {
	t.Helper()
	cfg := parts.Config(t, "FARRIER_TEST_AWS")
	client := sns.NewFromConfig(cfg)
	made, err := client.CreateTopic(context.Background(), &sns.CreateTopicInput{Name: aws.String(parts.Unique("topic"))})
	if err != nil {
		t.Fatal(err)
	}
	q := parts.Queue(t)
	q.Client = sqs.NewFromConfig(cfg)
	out, err := q.Client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	arn := out.Attributes["QueueArn"]
	if _, err := client.Subscribe(context.Background(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"FilterPolicy": filter},
	}); err != nil {
		t.Fatal(err)
	}
	never := func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient, cfg.Retryer = r.calls, never
	r.notifier.Owners = Owners{Client: sns.NewFromConfig(cfg), Topic: *made.TopicArn}
	return q
}

func TestWhatHappensToAnEndpointIsToldWithoutWhatItsURLHides(t *testing.T) {
	for file, want := range map[string]string{
		"notify-endpoint-disabled": `{"type":"endpoint.disabled","timestamp":"2026-11-21T10:00:05.123Z","data":{"id":"` + troubled + `","server":"https://shop.example.com","reason":"answered 410 Gone","since":"2026-11-21T10:00:05.123Z"}}`,
		"notify-endpoint-failing":  `{"type":"endpoint.failing","timestamp":"2026-11-21T10:00:06.456Z","data":{"id":"` + troubled + `","reason":"status 500: only 2xx is success","since":"2026-11-21T09:29:55Z","streak":9}}`,
	} {
		_, batch := records(t, file)
		told, err := derive(batch[0])
		if err != nil || len(told.events) != 1 || string(told.events[0].Payload) != want || told.events[0].Object != troubled || told.onlyWanted {
			t.Errorf("%+v, %v\nwant %s", told, err, want)
		}
	}
	for file, edit := range map[string][2]string{
		"notify-endpoint-disabled": {`"told":{"L":[{"S":"endpoint.disabled"}]}`, `"told":{"L":[]}`},
		"notify-endpoint-failing":  {`"events":{"L":[{"S":"endpoint.failing"}]}`, `"events":{"L":[]}`},
	} {
		if told, err := derive(edited(t, file, edit[0], edit[1])); err != nil || len(told.events) != 0 {
			t.Errorf("%s that stands for nothing: %+v, %v", file, told, err)
		}
	}
	recovered, err := derive(edited(t, "notify-endpoint-failing", "endpoint.failing", "endpoint.recovered"))
	if err != nil || recovered.events[0].Type != event.EndpointRecovered {
		t.Errorf("%+v, %v", recovered, err)
	}
}

func TestAnEndpointsTroubleIsToldToTheOthersAndToItsOwner(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	other := r.endpoint(t, key, "endpoint.*")
	r.endpoint(t, key, "payment.*")
	r.makes(t, key, troubled, webhook.Where{}, "*")
	mine := r.topic(t, `{"merchant":["`+merchant+`"],"type":["endpoint.failing"]}`)
	_, disabled := records(t, "notify-endpoint-disabled")
	_, failing := records(t, "notify-endpoint-failing")
	for _, err := range r.notifier.Handle(context.Background(), append(disabled, failing...)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := jobs(t, r); len(got) != 2 || got[0].Endpoint != other.ID || got[1].Endpoint != other.ID {
		t.Errorf("%+v", got)
	}
	if events := listed(t, r); len(events) != 2 {
		t.Errorf("%+v", events)
	}
	letters := bodies(t, mine)
	if len(letters) != 1 {
		t.Fatalf("%d letters passed the filter: %v", len(letters), letters)
	}
	var letter struct {
		Subject, Message  string
		MessageAttributes map[string]struct{ Type, Value string }
	}
	if err := json.Unmarshal([]byte(letters[0]), &letter); err != nil || letter.Subject != "Farrier: endpoint.failing" ||
		letter.MessageAttributes["merchant"].Value != merchant || letter.MessageAttributes["type"].Value != "endpoint.failing" ||
		!strings.Contains(letter.Message, `"data":{"id":"`+troubled+`"`) {
		t.Errorf("%s: %v", letters[0], err)
	}
}

func TestALetterSaysWhatAPersonNeedsAndNoSecret(t *testing.T) {
	_, batch := records(t, "notify-endpoint-disabled")
	told, err := derive(batch[0])
	if err != nil {
		t.Fatal(err)
	}
	text := letter(told.events[0], *told.health)
	for _, want := range []string{event.Meaning(event.EndpointDisabled), troubled, "https://shop.example.com\n", merchant, "answered 410 Gone", "2026-11-21 10:00:05 UTC", told.events[0].ID} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "7f3a") || strings.Contains(string(told.events[0].Payload), "7f3a") {
		t.Errorf("the URL's key is told: %s", text)
	}
	if text := letter(told.events[0], webhook.TroubleView{ID: troubled}); !strings.Contains(text, "(deleted)") || strings.Contains(text, "Since") {
		t.Errorf("%s", text)
	}
}

func TestAStopWhileAnOwnerIsToldIsMadeGood(t *testing.T) {
	_, batch := records(t, "notify-endpoint-failing")
	key := newKey(t)
	for stop := 1; stop <= 4; stop++ { // the endpoints, the event, the letter, the job
		for _, after := range []bool{false, true} {
			r := newRoom(t)
			r.endpoint(t, key, "*")
			all := r.topic(t, `{"merchant":["`+merchant+`"]}`)
			r.calls.count, r.calls.stop, r.calls.after = 0, stop, after
			if answers := r.notifier.Handle(context.Background(), batch); answers[0] == nil {
				t.Fatalf("stop %d, %t: it was not stopped", stop, after)
			}
			r.calls.stop = 0
			if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
				t.Errorf("stop %d, %t: again: %v", stop, after, answers)
			}
			if letters := len(bodies(t, all)); len(listed(t, r)) != 1 || len(jobs(t, r)) == 0 || letters == 0 || letters > 2 {
				t.Errorf("stop %d, %t: %d events, %d letters", stop, after, len(listed(t, r)), letters)
			}
		}
	}
}

func TestConformanceAnEndpointsEventsAreTheSameWhereTheyAreDerivedFromAMessageWithoutSecrets(t *testing.T) {
	_, batch := records(t, "notify-endpoint-disabled")
	whole, err := derive(batch[0])
	if err != nil {
		t.Fatal(err)
	}
	plain := batch[0]
	plain.Change.NewImage = dynamo.Told(webhook.Plain(dynamo.Image(plain.Change.NewImage)))
	again, err := derive(plain)
	if err != nil || !slices.EqualFunc(whole.events, again.events, func(a, b event.Event) bool { return a.ID == b.ID && a.Payload == b.Payload }) {
		t.Errorf("%+v, want %+v: %v", again, whole, err)
	}
	if text, _ := json.Marshal(plain); strings.Contains(string(text), "AQICAHh") || strings.Contains(string(text), "7f3a") {
		t.Errorf("%s", text)
	}
}

func TestConformanceWhatIsSetAsideOfAnEndpointHasNoSecretAndNoPathOfItsURL(t *testing.T) {
	r := newRoom(t)
	consumer := stream.Consumer{Handle: r.notifier.Handle, Plain: Plain, Aside: r.aside, Log: slog.New(slog.DiscardHandler)}
	unfit := edited(t, "notify-endpoint-disabled", `"endpoint.disabled"`, `"endpoint.disapled"`)
	unfit.Change.NewImage["headers"] = lambda.NewMapAttribute(map[string]lambda.DynamoDBAttributeValue{
		"names": lambda.NewListAttribute([]lambda.DynamoDBAttributeValue{lambda.NewStringAttribute("X-Shop-Token")}), "sealed": lambda.NewStringAttribute("AQICAHhEADERS")})
	unfit.Change.OldImage = unfit.Change.NewImage
	state := edited(t, "notify-endpoint-failing", `"endpoint.failing"`, `"endpoint.fayling"`)
	payload, err := json.Marshal(lambda.DynamoDBEvent{Records: []lambda.DynamoDBEventRecord{unfit, state}})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := consumer.Invoke(context.Background(), payload); err != nil || len(answer.BatchItemFailures) != 0 {
		t.Fatal(answer, err)
	}
	set := strings.Join(bodies(t, r.aside), "\n")
	for _, hidden := range []string{"AQICAH", "7f3a", "/webhooks", "X-Shop-Token"} {
		if strings.Contains(set, hidden) {
			t.Errorf("%s is in a letter: %s", hidden, set)
		}
	}
	for _, kept := range []string{"https://shop.example.com", "endpoint.disapled", "endpoint.fayling", "streak"} {
		if !strings.Contains(set, kept) {
			t.Errorf("%s is in no letter: %s", kept, set)
		}
	}
}

func TestOfOtherItemsAllIsSetAside(t *testing.T) {
	for _, file := range []string{"notify-payment-paid", "notify-deposit-final", "notify-endpoint-failing"} {
		_, batch := records(t, file)
		if !reflect.DeepEqual(Plain(batch[0]), batch[0]) {
			t.Errorf("%s is not whole", file)
		}
	}
}
