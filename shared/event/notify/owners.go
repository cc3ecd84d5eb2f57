package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"farrier/shared/event"
	"farrier/shared/webhook"
)

// Owners are the people behind merchants. What happens to their endpoints is published to a topic, to which each
// subscribes with a filter by the attributes merchant and type.
type Owners struct {
	Client *sns.Client
	Topic  string // ARN; empty where nobody is to be told
}

// Tell publishes an event about an endpoint: to machines its payload, to people a few lines. Where it is done again the
// same is said twice.
func (o Owners) Tell(ctx context.Context, e event.Event, health webhook.TroubleView) error {
	if o.Topic == "" {
		return nil
	}
	message, err := json.Marshal(map[string]string{"default": string(e.Payload), "email": letter(e, health)})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	attribute := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	_, err = o.Client.Publish(ctx, &sns.PublishInput{
		TopicArn: &o.Topic, MessageStructure: aws.String("json"), Message: aws.String(string(message)), Subject: aws.String("Farrier: " + string(e.Type)),
		MessageAttributes: map[string]types.MessageAttributeValue{"merchant": attribute(e.Merchant), "type": attribute(string(e.Type))},
	})
	if err != nil {
		return fmt.Errorf("notify: publish: %w", err)
	}
	return nil
}

// letter is for people.
func letter(e event.Event, health webhook.TroubleView) string {
	lines := []string{
		event.Meaning(e.Type), "",
		"Endpoint: " + health.ID,
		"Server: " + cmp.Or(health.Server, "(deleted)"),
		"Merchant: " + e.Merchant,
		"At: " + e.CreatedAt.UTC().Format("2006-01-02 15:04:05 MST"),
	}
	if health.Reason != "" {
		lines = append(lines, "Reason: "+health.Reason)
	}
	if health.Since != nil {
		lines = append(lines, "Since: "+health.Since.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	if health.Streak > 0 {
		lines = append(lines, fmt.Sprintf("Attempts in vain, one after the other: %d", health.Streak))
	}
	return strings.Join(append(lines, "Event: "+e.ID), "\n")
}
