package cloud

import (
	"encoding/json"
	"io"
	"os"
	"time"
)

// Metrics counts what an alarm in template.yaml listens to. A count is a log line in CloudWatch's
// embedded metric format, so that it costs no request
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
type Metrics struct {
	Out   io.Writer
	Stack string
	Now   Clock
}

// NewMetrics writes to standard output, which Lambda collects.
func NewMetrics() Metrics {
	return Metrics{Out: os.Stdout, Stack: Getenv("STACK", "local"), Now: time.Now}
}

// Count adds n to a metric of the namespace Farrier with the stack's name as its dimension.
// The fields are searchable in the log and are no dimensions; they never hold a secret.
func (m Metrics) Count(name string, n int, fields map[string]string) {
	line := map[string]any{}
	for k, v := range fields {
		line[k] = v
	}
	line["stack"], line[name] = m.Stack, n
	line["_aws"] = map[string]any{
		"Timestamp": m.Now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": "Farrier", "Dimensions": [][]string{{"stack"}}, "Metrics": []any{map[string]string{"Name": name, "Unit": "Count"}},
		}},
	}
	_ = json.NewEncoder(m.Out).Encode(line)
}
