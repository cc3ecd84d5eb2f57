package interpreter

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
)

const txA = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// reader is an interpreter on the real store and queues, behind the stream that Lambda brings.
type reader struct {
	*Interpreter
	stream.Consumer
	connection callback.Connection
	told       bytes.Buffer
}

func open(t testing.TB) *reader {
	t.Helper()
	r, ctx := &reader{}, context.Background()
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
	chains, err := chain.ParseSet(`[{"id":"eip155:137","name":"Polygon","block_time":"2s","finality":{"depth":1}}]`)
	if err != nil {
		t.Fatal(err)
	}
	client, key := parts.Key(t)
	connections := callback.Connections{Table: parts.Table(t), Sealer: &seal.Sealer{Client: client, KeyID: key, Now: now}, Now: now, Random: rand.Reader}
	if r.connection, _, err = connections.Create(ctx, callback.Asked{Merchant: "mer_1", Provider: "standard-webhooks"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(&r.told, nil))
	r.Interpreter = &Interpreter{
		Known: &callback.Known{Connections: connections}, Keyring: &callback.Keyring{Sealer: connections.Sealer, Now: now},
		Receipts: callback.Receipts{
			Table:   parts.Table(t, parts.Index{Name: callback.TroubleIndex, Partition: "trouble", Sort: "trouble_at"}),
			KeepFor: 90 * 24 * time.Hour, Now: now,
		},
		Chains: chains, Looks: parts.Queue(t),
		Deposits:  deposit.Store{Table: parts.Table(t), Metrics: cloud.Metrics{Out: &r.told, Stack: "test", Now: now}},
		Addresses: parts.Table(t), Payments: parts.Table(t), Own: parts.Queue(t),
		Metrics: cloud.Metrics{Out: &r.told, Stack: "test", Now: now}, Log: log, Now: now,
	}
	r.Consumer = stream.Consumer{Handle: stream.Each(r.Interpreter.Handle), Aside: parts.Queue(t), Log: log}
	return r
}

// keep stores a receipt as receive does and gives its record as the stream brings it.
func (r *reader) keep(t testing.TB, event, body string) events.DynamoDBEventRecord {
	t.Helper()
	receipt := callback.NewReceipt(r.connection, event, callback.Delivery{Body: []byte(body), At: r.Receipts.Now()})
	if _, err := r.Receipts.Keep(context.Background(), receipt); err != nil {
		t.Fatal(err)
	}
	return r.record(t, "INSERT", r.stored(t, event))
}

func (r *reader) stored(t testing.TB, event string) callback.Receipt {
	t.Helper()
	page, _, err := r.Receipts.Of(context.Background(), r.connection.ID, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page, func(receipt callback.Receipt) bool { return receipt.SK == event })
	if i < 0 {
		t.Fatalf("no receipt %s", event)
	}
	return page[i]
}

func (r *reader) record(t testing.TB, name string, receipt callback.Receipt) events.DynamoDBEventRecord {
	t.Helper()
	text := func(s string) map[string]string { return map[string]string{"S": s} }
	image := map[string]any{
		"pk": text(receipt.PK), "sk": text(receipt.SK), "merchant": text(receipt.Merchant), "provider": text(receipt.Provider),
		"body": map[string][]byte{"B": receipt.Body}, "received_at": text(receipt.ReceivedAt.Format(time.RFC3339Nano)),
		"ttl": map[string]string{"N": fmt.Sprint(receipt.TTL)}, "version": map[string]string{"N": fmt.Sprint(receipt.Version)},
	}
	if receipt.Outcome != "" {
		image["outcome"] = text(string(receipt.Outcome))
	}
	raw, err := json.Marshal(map[string]any{
		"eventID": receipt.SK, "eventName": name, "eventSource": "aws:dynamodb",
		"dynamodb": map[string]any{"Keys": map[string]any{"pk": text(receipt.PK), "sk": text(receipt.SK)}, "NewImage": image, "SequenceNumber": "seq-" + receipt.SK},
	})
	if err != nil {
		t.Fatal(err)
	}
	var record events.DynamoDBEventRecord
	if err := json.Unmarshal(raw, &record); err != nil {
		t.Fatal(err)
	}
	return record
}

// bring is what Lambda does with a batch; it gives the positions that the stream shall start from again.
func (r *reader) bring(t testing.TB, records ...events.DynamoDBEventRecord) []string {
	t.Helper()
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func messages(t testing.TB, q queue.Queue) []string {
	t.Helper()
	var bodies []string
	for {
		out, err := q.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
			QueueUrl: &q.URL, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"MessageGroupId"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			slices.Sort(bodies)
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			_, _ = q.Client.DeleteMessage(context.Background(), &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle})
		}
	}
}

func TestAReceiptBecomesALook(t *testing.T) {
	r := open(t)
	if failed := r.bring(t,
		r.keep(t, "msg_1", `{"data":{"chain":"eip155:137","transaction":"`+txA+`"}}`),
		r.keep(t, "msg_2", `{"data":{"chain":"eip155:137"}}`),
	); failed != nil {
		t.Fatal(failed)
	}
	want := []string{`{"chain":"eip155:137","tx":""}`, `{"chain":"eip155:137","tx":"` + txA + `"}`}
	if got := messages(t, r.Looks); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if stored := r.stored(t, "msg_1"); stored.Outcome != "" || stored.Version != 1 {
		t.Errorf("%+v", stored)
	}
}

func TestAnUnreadableReceiptIsMarkedAndCountedAndTheStreamGoesOn(t *testing.T) {
	r := open(t)
	failed := r.bring(t,
		r.keep(t, "msg_1", `{"data":`),
		r.keep(t, "msg_2", "\xff\xfe"),
		r.keep(t, "msg_3", `{"data":{"chain":"eip155:137","transaction":7}}`),
		r.keep(t, "msg_4", `{"data":{"chain":"eip155:137"}}`),
	)
	if failed != nil {
		t.Fatal(failed)
	}
	for _, event := range []string{"msg_1", "msg_2", "msg_3"} {
		if stored := r.stored(t, event); stored.Outcome != callback.Unreadable || stored.Version != 2 || stored.Detail == "" {
			t.Errorf("%+v", stored)
		}
	}
	trouble, _, err := r.Receipts.InTrouble(context.Background(), "mer_1", callback.Unreadable, 10, "")
	if len(trouble) != 3 || err != nil {
		t.Errorf("%d in trouble, %v", len(trouble), err)
	}
	if told := r.told.String(); strings.Count(told, `"CallbackUnreadable":1`) != 3 {
		t.Error(told)
	}
	if got := messages(t, r.Looks); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// of gives the connection other settings than those that it was made with.
func (r *reader) of(t testing.TB, s callback.Settings) {
	t.Helper()
	changed := r.connection
	changed.Settings, changed.Version = s, r.connection.Version+1
	if err := r.Known.Connections.Table.Replace(context.Background(), changed, r.connection.Version); err != nil {
		t.Fatal(err)
	}
	r.connection = changed
}

func TestAVersionThatNobodyKnowsIsMarkedAndCounted(t *testing.T) {
	r := open(t)
	r.of(t, callback.Settings{VersionPath: "v", Versions: []string{"1"}})
	if failed := r.bring(t, r.keep(t, "msg_1", `{"v":2,"data":{"chain":"eip155:137"}}`), r.keep(t, "msg_2", `{"v":1,"data":{"chain":"eip155:137"}}`)); failed != nil {
		t.Fatal(failed)
	}
	if stored := r.stored(t, "msg_1"); stored.Outcome != callback.UnknownVersion || stored.Detail != "the version 2 is not known" {
		t.Errorf("%+v", stored)
	}
	if got := messages(t, r.Looks); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if told := r.told.String(); strings.Count(told, `"CallbackUnknownVersion":1`) != 1 {
		t.Error(told)
	}
}

func TestOneTransactionInManyNoticesIsOneLook(t *testing.T) {
	r := open(t)
	if failed := r.bring(t, r.keep(t, "msg_1", `{"data":{"chain":"eip155:137","transaction":["`+txA+`","`+txA+`"]}}`)); failed != nil {
		t.Fatal(failed)
	}
	if got := messages(t, r.Looks); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestWhatNoticesBringAbout(t *testing.T) {
	r := open(t)
	for _, c := range []struct {
		notice         callback.Notice
		looks, strange int
	}{
		{callback.Notice{Kind: callback.DepositSeen, Chain: "eip155:137", Tx: txA}, 1, 0},
		{callback.Notice{Kind: callback.DepositReverted, Chain: "eip155:137", Tx: txA}, 1, 0},
		{callback.Notice{Kind: callback.PaymentPaid, Chain: "eip155:137"}, 1, 0},
		{callback.Notice{Kind: callback.DepositSeen, Chain: "eip155:5", Tx: txA}, 0, 1},
		{callback.Notice{Kind: callback.DepositConfirmed, Code: "XMR"}, 0, 1},
		{callback.Notice{Kind: callback.PaymentPaid, Asset: "iso4217:EUR"}, 0, 0},
		{callback.Notice{Kind: callback.PaymentPending, Chain: "eip155:137", Tx: txA}, 0, 0},
		{callback.Notice{Kind: callback.PayoutBroadcast, Chain: "eip155:137", Tx: txA}, 0, 0},
		{callback.Notice{Kind: callback.PayoutFinal, Chain: "eip155:137", Tx: txA}, 0, 0},
		{callback.Notice{Kind: callback.PayoutFailed, Chain: "eip155:137", Tx: txA}, 0, 0},
		{callback.Notice{Kind: callback.ProviderError, Chain: "eip155:137", Tx: txA}, 0, 0},
		{callback.Notice{Kind: callback.Other, Chain: "eip155:137", Tx: txA}, 0, 0},
	} {
		if looks, strange := r.looks([]callback.Notice{c.notice}); len(looks) != c.looks || strange != c.strange {
			t.Errorf("%+v: %d looks, %d strange", c.notice, len(looks), strange)
		}
	}
}

func TestEveryOutcomeOfReadingIsCounted(t *testing.T) {
	for _, o := range callback.Outcomes() {
		if _, counted := metrics[o]; !counted && o != callback.Conflict { // which receive counts
			t.Errorf("%s", o)
		}
	}
}

func TestAHintForAChainThatIsNotConfiguredIsMarkedAndAsksForNothing(t *testing.T) {
	r := open(t)
	if failed := r.bring(t, r.keep(t, "msg_1", `{"data":{"chain":"eip155:5"}}`)); failed != nil {
		t.Fatal(failed)
	}
	if stored := r.stored(t, "msg_1"); stored.Outcome != callback.UnknownChain {
		t.Errorf("%+v", stored)
	}
	if got := messages(t, r.Looks); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if told := r.told.String(); !strings.Contains(told, `"CallbackUnknownChain":1`) {
		t.Error(told)
	}
}

func TestTheSameRecordTwiceLeavesTheSameBehind(t *testing.T) {
	r := open(t)
	record := r.keep(t, "msg_1", "{")
	r.bring(t, record)
	once := r.stored(t, "msg_1")
	if failed := r.bring(t, record); failed != nil {
		t.Fatal(failed)
	}
	if twice := r.stored(t, "msg_1"); twice.Version != once.Version {
		t.Errorf("%+v", twice)
	}
}

func TestConflictsAndWhatWeChangedOrForgotAskForNothing(t *testing.T) {
	r := open(t)
	r.keep(t, "msg_1", `{"data":{"chain":"eip155:137"}}`)
	receipt := r.stored(t, "msg_1")
	conflict := receipt
	conflict.Outcome = callback.Conflict
	if failed := r.bring(t, r.record(t, "INSERT", conflict), r.record(t, "MODIFY", receipt), r.record(t, "REMOVE", receipt)); failed != nil {
		t.Fatal(failed)
	}
	if got := messages(t, r.Looks); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestAReceiptOfNoConnectionIsSetAside(t *testing.T) {
	r := open(t)
	r.connection.ID = "con_01JD0000000000000000000000"
	if failed := r.bring(t, r.keep(t, "msg_1", `{}`)); failed != nil {
		t.Fatal(failed)
	}
	if got := messages(t, r.Aside); len(got) != 1 || !strings.Contains(got[0], "no such connection") {
		t.Errorf("%v", got)
	}
}

func TestWhileTheStoreOrTheQueueIsDownTheStreamStopsAtTheRecord(t *testing.T) {
	down := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:9"), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})}
	for name, c := range map[string]struct {
		breakIt func(*reader)
		body    string
	}{
		"connections": {func(r *reader) { r.Known.Connections.Table.Client = dynamodb.NewFromConfig(down) }, `{"data":{"chain":"eip155:137"}}`},
		"callbacks":   {func(r *reader) { r.Receipts.Table.Client = dynamodb.NewFromConfig(down) }, `{`},
		"looks":       {func(r *reader) { r.Looks.Client = sqs.NewFromConfig(down) }, `{"data":{"chain":"eip155:137"}}`},
	} {
		r := open(t)
		record := r.keep(t, "msg_1", c.body)
		c.breakIt(r)
		if failed := r.bring(t, record); !slices.Equal(failed, []string{"seq-msg_1"}) {
			t.Errorf("%s: %v", name, failed)
		}
		if got := messages(t, r.Aside); len(got) != 0 {
			t.Errorf("%s: set aside %v", name, got)
		}
	}
}

func TestARecordWithoutAReceiptIsUnfit(t *testing.T) {
	var record events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(`{"eventName":"INSERT","dynamodb":{"NewImage":{"body":{"L":[]},"version":{"S":"x"}}}}`), &record); err != nil {
		t.Fatal(err)
	}
	var unfit stream.Unfit
	if err := (&Interpreter{}).Handle(context.Background(), record); !errors.As(err, &unfit) {
		t.Error(err)
	}
}
