// Package parts gives a test the real parts that `make test` started: a DynamoDB, a KMS, queues, a chain.
//
// It promises: a test that asks for a part gets a fresh corner of it (its own table, its own queue);
// where the part was not started, the test is skipped with a line that says how to start it.
package parts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
)

// Endpoint is the address of a part ("FARRIER_TEST_RPC"), or the end of the test.
func Endpoint(t testing.TB, name string) string {
	t.Helper()
	endpoint := os.Getenv(name)
	if endpoint == "" {
		t.Skipf("%s is not set: run it by `make test`", name)
	}
	return endpoint
}

// Config is an AWS configuration for the part at the endpoint that the variable names.
func Config(t testing.TB, name string) aws.Config {
	t.Helper()
	endpoint := Endpoint(t, name)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: cloud.HTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// Index is a secondary index of a test's table.
type Index struct{ Name, Partition, Sort string }

// Table makes an empty table on the real store.
func Table(t testing.TB, indexes ...Index) dynamo.Table {
	t.Helper()
	return TableOn(t, dynamodb.NewFromConfig(Config(t, "FARRIER_TEST_DYNAMODB")), indexes...)
}

// TableOn makes an empty table by a client of the caller's own.
func TableOn(t testing.TB, client *dynamodb.Client, indexes ...Index) dynamo.Table {
	t.Helper()
	table := dynamo.Table{Client: client, Name: Unique("table")}
	in := &dynamodb.CreateTableInput{
		TableName: &table.Name, BillingMode: types.BillingModePayPerRequest, KeySchema: keys("pk", "sk"),
	}
	names := []string{"pk", "sk"}
	for _, i := range indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(i.Name), KeySchema: keys(i.Partition, i.Sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		})
		names = append(names, i.Partition, i.Sort)
	}
	slices.Sort(names)
	in.AttributeDefinitions = attributes(slices.Compact(names)...) // two indexes may share an attribute
	_, err := client.CreateTable(context.Background(), in)
	var made *types.ResourceInUseException // by a first try whose answer was lost: the name is this test's alone
	if err != nil && !errors.As(err, &made) {
		t.Fatalf("create table: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table.Name})
	})
	return table
}

// Queue makes an empty queue on the real queue service.
func Queue(t testing.TB) queue.Queue {
	t.Helper()
	client := sqs.NewFromConfig(Config(t, "FARRIER_TEST_SQS"))
	name := Unique("queue")
	out, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
	})
	return queue.Queue{Client: client, URL: *out.QueueUrl}
}

// Key makes a symmetric KMS key.
func Key(t testing.TB) (*kms.Client, string) {
	t.Helper()
	client := kms.NewFromConfig(Config(t, "FARRIER_TEST_AWS"))
	out, err := client.CreateKey(context.Background(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	return client, *out.KeyMetadata.KeyId
}

// Unique is a name that no other test has.
func Unique(kind string) string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return kind + "-" + hex.EncodeToString(b[:])
}

func keys(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

func attributes(names ...string) []types.AttributeDefinition {
	var out []types.AttributeDefinition
	for _, name := range names {
		out = append(out, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	return out
}
