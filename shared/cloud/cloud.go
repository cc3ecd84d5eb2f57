// Package cloud gives a function its AWS configuration, its environment and its log.
//
// It promises: nothing goes over the network at start; configuration is read from the function's
// environment alone (region, the role's credentials, AWS_ENDPOINT_URL for a local run), because the
// SDK's own loader doubles the time a Go function takes to start; a missing variable ends the
// process with its name.
package cloud

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config is the SDK's configuration for this process. Lambda sets the role's credentials in the
// environment once, for the life of the process.
func Config() aws.Config {
	cfg := aws.Config{
		Region: Getenv("AWS_REGION", os.Getenv("AWS_DEFAULT_REGION")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
				Source:          "environment",
			}, nil
		}),
		HTTPClient: HTTPClient(),
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg
}

// Env reads a variable that the template sets; without it the process ends and says which is missing.
func Env(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fmt.Fprintf(os.Stderr, "environment variable %s is not set\n", name)
		os.Exit(1)
	}
	return value
}

// Getenv reads a variable that may be absent.
func Getenv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// Number reads a variable that the template sets to a number of at least 1; without it, or with anything else, the
// process ends and says so.
func Number(name string) int {
	n, err := strconv.Atoi(Env(name))
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "environment variable %s is not a number of at least 1\n", name)
		os.Exit(1)
	}
	return n
}

// LocalRun says whether this is the local run, where loopback addresses may be called.
func LocalRun() bool { return os.Getenv("LOCAL_RUN") == "true" }

// Log writes JSON lines to standard error, where Lambda collects them. What packages log by themselves goes there too,
// without the words of others.
func Log() *slog.Logger {
	log.SetOutput(withoutAnswers{os.Stderr})
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// Clock gives the time; the simulation passes its own.
type Clock func() time.Time

// Sleep waits, or returns early with the context's error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
