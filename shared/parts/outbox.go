package parts

import (
	"crypto/md5" // #nosec G501 -- the SDK checks SQS's answer by it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/queue"
)

// Outbox takes what is sent to SQS and keeps it, in order, so that a test may look at it and let it arrive by a clock of
// its own. It knows SendMessageBatch alone.
type Outbox struct {
	mu   sync.Mutex
	sent []Sent
}

// Sent is a message that was sent.
type Sent struct {
	Queue, Body, Group string
	Delay              time.Duration
}

// Queue is a queue whose messages go to the outbox, through a client that may have accidents of its own.
func (o *Outbox) Queue(name string, through aws.HTTPClient) queue.Queue {
	endpoint := "http://sqs.invalid"
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: through, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	return queue.Queue{Client: sqs.NewFromConfig(cfg), URL: endpoint + "/" + name}
}

// Take gives the messages of a queue and forgets them.
func (o *Outbox) Take(name string) []Sent {
	o.mu.Lock()
	defer o.mu.Unlock()
	var taken, left []Sent
	for _, s := range o.sent {
		if strings.HasSuffix(s.Queue, "/"+name) {
			taken = append(taken, s)
		} else {
			left = append(left, s)
		}
	}
	o.sent = left
	return taken
}

// Do is SQS: an HTTP client that answers by itself.
func (o *Outbox) Do(r *http.Request) (*http.Response, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "AmazonSQS.SendMessageBatch" {
		return nil, fmt.Errorf("parts: the outbox does not know %s", target)
	}
	var in struct {
		QueueUrl string
		Entries  []struct {
			Id, MessageBody, MessageGroupId string
			DelaySeconds                    int
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	type accepted struct{ Id, MessageId, MD5OfMessageBody string }
	answer := struct {
		Successful []accepted
		Failed     []string
	}{Failed: []string{}}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range in.Entries {
		sum := md5.Sum([]byte(e.MessageBody)) // #nosec G401
		answer.Successful = append(answer.Successful, accepted{e.Id, "m", hex.EncodeToString(sum[:])})
		o.sent = append(o.sent, Sent{in.QueueUrl, e.MessageBody, e.MessageGroupId, time.Duration(e.DelaySeconds) * time.Second})
	}
	text, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r,
	}, err
}
